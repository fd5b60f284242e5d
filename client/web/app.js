/** The page: lobby, grid of tiles, controls. All talk with the server is in sluice.js. */
import { Call } from '/client/sluice.js';
import { Calling } from '/client/calling.js';
import { Grid } from '/client/grid.js';

const $ = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);
// Behind the # it is sent to no server, and stands in no log.
let token = new URLSearchParams(location.hash.slice(1)).get('token') ?? query.get('token') ?? undefined;
const grid = new Grid($('grid'), $('tile'), () => tellViews(), (key) => calling.start(call, key));
const calling = new Calling($('calling'), (participant) => grid.hearOnly(participant));
const local = { stream: new MediaStream(), screen: null, micOn: true, cameraOn: true };
const tiles = new Map(); // id of a remote video track -> key of its tile
let call = null;
let viewTimer = 0;

const PAUSED_WORDS = { bandwidth: 'Paused: your network is too slow for this picture.',
    not_sent: 'No picture comes at the moment.' };
const STATE_WORDS = { idle: 'Not connected', signaling: 'Joining…', connecting: 'Connecting media…',
    connected: 'Connected', interrupted: 'Reconnecting…', reconnecting: 'Reconnecting…', failed: 'Disconnected', left: 'Left' };

// --- devices ----------------------------------------------------------------------------------

function deviceProblem(error) {
    switch (error.name) {
    case 'NotAllowedError': return 'The browser may not use them: allow camera and microphone in the address bar.';
    case 'NotFoundError': return 'No camera or microphone was found. You can join and listen.';
    case 'NotReadableError': return 'Another program uses the camera or microphone.';
    default: return `Camera and microphone cannot be used: ${error.message}`;
    }
}

async function openDevices() {
    if (!navigator.mediaDevices) {
        note('This page must be opened by https:// or on localhost to use camera and microphone.', true);
        return;
    }
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    const video = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
    for (const constraints of [{ audio, video }, { audio }, { video }]) {
        try {
            local.stream = await navigator.mediaDevices.getUserMedia(constraints);
            break;
        } catch (error) {
            note(deviceProblem(error), true);
        }
    }
    $('preview').querySelector('video').srcObject = local.stream;
    showLocal();
    watchLevel();
}

function watchLevel() {
    if (!local.stream.getAudioTracks().length)
        return;
    const context = new AudioContext();
    const analyser = context.createAnalyser();
    const samples = new Float32Array(analyser.fftSize = 512);
    const bar = document.querySelector('.level span');
    context.createMediaStreamSource(local.stream).connect(analyser);
    setInterval(() => {
        analyser.getFloatTimeDomainData(samples);
        const level = Math.min(1, Math.sqrt(samples.reduce((sum, s) => sum + s * s, 0) / samples.length) * 6);
        if (document.body.dataset.view === 'lobby')
            bar.style.transform = `scaleY(${local.micOn ? level : 0})`;
        grid.setSpeaking('you', local.micOn && level > 0.15);
    }, 120);
}

function note(text, bad = false) {
    $('device-note').textContent = text;
    $('device-note').classList.toggle('bad', bad);
}

function press(button, off, icon, label) {
    button.setAttribute('aria-pressed', off);
    button.querySelector('use').setAttribute('href', `/client/icons.svg#${icon}`);
    if (label)
        button.querySelector('span').textContent = label;
}

/** Show what is on and off, in the lobby and in the call. */
function showLocal() {
    const [mic] = local.stream.getAudioTracks();
    const [camera] = local.stream.getVideoTracks();
    const cameraLive = Boolean(camera) && local.cameraOn;
    for (const button of [$('mic'), $('lobby-mic')]) {
        button.disabled = !mic;
        press(button, !mic || !local.micOn, mic && local.micOn ? 'mic' : 'mic-off',
            button.id === 'mic' ? (local.micOn ? 'Mute' : 'Unmute') : null);
    }
    for (const button of [$('camera'), $('lobby-camera')]) {
        button.disabled = !camera;
        press(button, !cameraLive, cameraLive ? 'camera' : 'camera-off');
    }
    $('preview').classList.toggle('has-video', cameraLive);
    $('preview').querySelector('.avatar').textContent = initials($('name').value);
    grid.update('you', { name: `${$('name').value} (you)`, muted: !mic || !local.micOn,
        video: cameraLive ? camera : null });
}

function initials(name) {
    return name.trim().split(/\s+/).slice(0, 2).map((word) => word[0] ?? '').join('').toUpperCase();
}

/** Whoever runs the server muted us. */
function showMuted({ source, held }) {
    if (source === 'microphone')
        local.micOn = false;
    else if (source === 'camera' && local.cameraOn)
        toggleCamera();
    showLocal();
    banner(held ? 'You cannot unmute yourself now: whoever runs this call wants you to be muted.'
        : 'You were muted by whoever runs this call.');
}

async function toggleMic() {
    local.micOn = !local.micOn;
    local.stream.getAudioTracks().forEach((track) => { track.enabled = local.micOn; });
    showLocal();
    await call?.mute('microphone', !local.micOn);
}

/** Camera off really closes it (its light goes off); on opens it again. */
async function toggleCamera() {
    const [old] = local.stream.getVideoTracks();
    local.cameraOn = !local.cameraOn;
    if (!local.cameraOn) {
        old.stop();
        showLocal();
        await call?.mute('camera', true);
        return;
    }
    try {
        const fresh = await navigator.mediaDevices.getUserMedia({ video: old.getConstraints() });
        local.stream.removeTrack(old);
        local.stream.addTrack(fresh.getVideoTracks()[0]);
        $('preview').querySelector('video').srcObject = local.stream;
        await call?.replaceTrack('camera', fresh.getVideoTracks()[0]);
        await call?.mute('camera', false);
    } catch (error) {
        local.cameraOn = false;
        banner(deviceProblem(error));
    }
    showLocal();
}

/** Stop capturing the screen and show so. */
function closeScreen() {
    local.screen?.stop();
    local.screen = null;
    grid.remove('screen');
    $('screen').setAttribute('aria-pressed', false);
}

async function toggleScreen() {
    if (local.screen) {
        closeScreen();
        await call.unpublish('screen');
        return;
    }
    let stream;
    try {
        stream = await navigator.mediaDevices.getDisplayMedia({ video: { frameRate: 15 } });
    } catch {
        return; // the person changed their mind
    }
    const [track] = stream.getVideoTracks();
    local.screen = track;
    track.onended = () => local.screen === track && toggleScreen(); // "stop sharing" of the browser
    track.contentHint = 'detail';
    grid.update('screen', { name: 'Your screen', video: track, screen: true, own: true });
    $('screen').setAttribute('aria-pressed', true);
    try {
        await call.publish(track, 'screen');
    } catch (error) {
        closeScreen();
        banner(`Your screen is not shared: ${error.message}`);
    }
}

// --- the call ---------------------------------------------------------------------------------

function banner(text, label, action) {
    $('banner').hidden = !text;
    $('banner').querySelector('p').textContent = text ?? '';
    const button = $('banner').querySelector('button');
    button.textContent = label ?? 'Close';
    button.onclick = () => { banner(null); action?.(); };
}

function showState({ state, message, media = true }) {
    $('status').dataset.state = state;
    $('status').textContent = STATE_WORDS[state];
    $('status').title = message;
    if (state === 'connected') {
        banner(null);
        tellViews();
    } else if (state === 'interrupted' || !media) {
        banner(message);
    } else if (state === 'failed') {
        banner(message, 'Rejoin', join);
    }
}

function showCount() {
    const n = 1 + (call ? call.participants.size : 0);
    $('count').textContent = n === 1 ? 'only you are here' : `${n} people`;
}

/** Tell the server how large each picture is, which one is pinned, and that a hidden page needs none. */
function tellViews() {
    clearTimeout(viewTimer);
    viewTimer = setTimeout(() => {
        for (const [id, key] of call?.state === 'connected' ? tiles : []) {
            const size = grid.sizeOf(key);
            call.view(id, { ...size, paused: document.hidden || !size, ...(grid.pinned === key ? { priority: 'pinned' } : {}) });
        }
    }, 200);
}

function showSpeakers({ speakers }) {
    grid.setSpeakers(new Set(speakers.map(({ id }) => id)));
}

function showStream({ track }) {
    if (track.kind === 'video') // sound has no tile, and its state is that of the microphone
        grid.setWhy(tileOf(track), PAUSED_WORDS[track.paused] ?? null);
}

function showQuality({ you, participants = [] }) {
    grid.setScore('you', you.score);
    for (const { id, score } of participants)
        grid.setScore(id, score);
}

/** A participant has one tile for its camera, and one for each screen and each further picture it shares. */
function tileOf(track) {
    if (!tiles.has(track.id)) {
        const taken = [...tiles].some(([id, key]) => key === track.participant && !id.startsWith('direct/'));
        const main = track.source !== 'screen' && (track.direct || !taken);
        tiles.set(track.id, main ? track.participant : `${track.participant}/${track.id}`);
    }
    return tiles.get(track.id);
}

function showPicture({ track, participant, media }) {
    const key = tileOf(track);
    const main = key === track.participant;
    const gone = !participant?.tracks.has(track.id);
    const screen = track.source === 'screen';
    if (gone)
        tiles.delete(track.id);
    const others = [...tiles].filter(([id, other]) => other === key && id !== track.id).map(([id]) => id);
    if (gone && !main)
        grid.remove(key);
    else if (!others.length || media) // else another picture has its tile already
        grid.update(key, { video: media && !track.muted && !gone ? media : null, screen,
            smooth: others.some((id) => id.startsWith('direct/')),
            name: main ? participant?.name : `${participant.name}'s ${screen ? 'screen' : track.source}` }, !main);
    tellViews();
}

function showTrack({ track, participant, media, receiver }) {
    if (track.kind === 'video') {
        showPicture({ track, participant, media });
        return;
    }
    const gone = !participant?.tracks.has(track.id);
    grid.setAudio(track.id, media, receiver, track.participant);
    grid.update(track.participant, { muted: gone ? true : track.muted }, false);
}

function showParticipant({ participant, change }) {
    if (change === 'leave')
        grid.remove(participant.id);
    else
        grid.update(participant.id, { name: participant.name || 'Guest', muted: true });
    showCount();
}

function showUpdate({ track }) {
    if (track.kind === 'audio')
        grid.update(track.participant, { muted: track.muted }, false);
    else
        grid.setVideoMuted(tileOf(track), track.muted);
}

async function join() {
    closeScreen();
    tiles.clear();
    grid.clear();
    call = new Call({ room: $('room').value, name: $('name').value.trim(), token,
        videoCodec: query.get('codec')?.toUpperCase(), relayOnly: query.get('relay') === '1',
        mode: query.get('mode') ?? 'sfu' });
    calling.attach(call);
    call.addEventListener('state', (event) => showState(event.detail));
    call.addEventListener('participant', (event) => showParticipant(event.detail));
    call.addEventListener('track', (event) => showTrack(event.detail));
    call.addEventListener('update', (event) => showUpdate(event.detail));
    call.addEventListener('muted', (event) => showMuted(event.detail));
    call.addEventListener('speakers', (event) => showSpeakers(event.detail));
    call.addEventListener('stream', (event) => showStream(event.detail));
    call.addEventListener('quality', (event) => showQuality(event.detail));
    call.addEventListener('token', (event) => { token = event.detail.token; });
    document.body.dataset.view = 'call';
    $('lobby').hidden = true;
    $('call').hidden = false;
    $('room-name').textContent = call.room;
    showCount();
    showLocal();
    const sending = new MediaStream(local.stream.getTracks().filter((track) => track.readyState === 'live'));
    try {
        await call.join(sending);
        await call.mute('microphone', !local.micOn);
        history.replaceState(null, '', linkTo(call.room) + (token ? `#token=${token}` : ''));
    } catch (error) {
        console.warn('sluice: join failed:', error);
    }
    window.sluiceCall = call; // for the console and for tests
}

function leave() {
    call?.leave();
    closeScreen();
    grid.clear();
    banner(null);
    document.body.dataset.view = 'lobby';
    $('call').hidden = true;
    $('lobby').hidden = false;
}

/** What leads others here: into a room for two, if this is one. */
function linkTo(room) {
    const mode = query.get('mode');
    return `?room=${encodeURIComponent(room)}${mode ? `&mode=${encodeURIComponent(mode)}` : ''}`;
}

async function copyLink() {
    const link = new URL(`/${linkTo($('room').value)}`, location.href).href;
    try {
        await navigator.clipboard.writeText(link);
        $('copy').textContent = 'Copied';
    } catch {
        window.prompt('The link to this call:', link);
    }
    setTimeout(() => { $('copy').textContent = 'Copy link'; }, 1500);
}

$('name').value = query.get('name') ?? localStorage.getItem('name') ?? '';
$('room').value = query.get('room') ?? 'demo';
$('name').oninput = showLocal;
$('lobby-mic').onclick = $('mic').onclick = toggleMic;
$('lobby-camera').onclick = $('camera').onclick = toggleCamera;
$('screen').onclick = toggleScreen;
$('screen').hidden = !navigator.mediaDevices?.getDisplayMedia;
$('leave').onclick = leave;
$('copy').onclick = copyLink;
$('join-form').onsubmit = (event) => {
    event.preventDefault();
    localStorage.setItem('name', $('name').value);
    join();
};
document.addEventListener('visibilitychange', tellViews);
addEventListener('pagehide', () => call?.leave());
await openDevices();
if (query.has('join') && $('name').value)
    $('join-form').requestSubmit();
