/**
 * sluice.js: group calls with a sluice server, in a browser, without dependencies.
 *
 *     import { Call } from '/client/sluice.js';
 *     const call = new Call({ room: 'demo', name: 'Ada' });
 *     call.addEventListener('track', (e) => show(e.detail));   // a remote track begins or ends
 *     await call.join(await navigator.mediaDevices.getUserMedia({ audio: true, video: true }));
 *
 * One RTCPeerConnection carries everything. The browser always offers, the server always answers.
 * Receiving m-lines are slots: the server binds tracks to them by `slots` messages, without SDP.
 * The messages are documented in docs/PROTOCOL.md.
 *
 * Events (CustomEvent, data in `detail`):
 *   state        {state, message}             see STATES; `message` is a sentence for people
 *   participant  {participant, change}        change: 'join' | 'update' | 'leave', reason on leave
 *   track        {track, participant, media}  media: MediaStreamTrack, or null when it is gone
 *   update       {track}                      a remote track was muted or unmuted
 *   speakers     {speakers}                   who speaks now: [{participant, level, dominant}], dominant first
 *   stream       {track, participant}         a remote track is paused, or comes again: see track.paused
 *   quality      {you, participants, ...}     how well it goes, as docs/PROTOCOL.md has it, every 5 s
 *
 * A camera is published in up to three sizes (simulcast), of which the server forwards to each viewer the one that
 * suits; those that nobody needs are not sent. Tell with view() how large you show what, and what you do not show.
 */

/** States of a call, in the order they are passed. `failed` and `left` are final. */
export const STATES = ['idle', 'signaling', 'connecting', 'connected', 'interrupted', 'failed', 'left'];

const FIRST_SLOTS = { audio: 4, video: 4 };
const REQUEST_TIMEOUT_MS = 15000;
const PING_MS = 15000;
const MEDIA_TIMEOUT_MS = 20000;
const VIEW_DELAY_MS = 100;
const SETTLE_MS = 5000; // in which a browser finds out what its uplink carries, by sending all it has

/** A picture of 1280x720 at 30 frames/s; smaller ones take a little more per pixel. */
const PIXELS_720P = 1280 * 720;
const BPS_720P = 1700000;
const bitrateOf = (pixels) => Math.round(BPS_720P * (pixels / PIXELS_720P) ** 0.85);

/**
 * The sizes in which a video track is sent, smallest first, as RTCRtpTransceiverInit.sendEncodings.
 * The rids are "q", "h" and "f" for a quarter, a half and the full width; one size has no rid.
 */
export function encodingsFor(track, source) {
    const { width = 640, height = 360 } = track.getSettings();
    const screen = source === 'screen';
    const scales = screen ? [2, 1] : [4, 2, 1].filter((scale) => Math.max(width, height) / scale >= 240);
    if (scales.length < 2)
        return [{ maxBitrate: bitrateOf(width * height) }];
    return scales.map((scale) => ({
        rid: { 4: 'q', 2: 'h', 1: 'f' }[scale],
        scalabilityMode: 'L1T3', // without it Chromium sends only the first of these in VP9 and AV1
        scaleResolutionDownBy: scale,
        maxBitrate: screen && scale === 1 ? 2500000 : bitrateOf(width * height / scale ** 2),
    }));
}

/**
 * Let `encodings` of RTCRtpSender.setParameters together have no more than `maxBps` (0: no limit). The active ones share
 * it as they share what they would have: `rates` of encodingsFor(), undefined for sound, which the answer limits.
 */
function limitRates(encodings, rates, maxBps) {
    const rateOf = ({ rid }) => rates?.find((rate) => (rate.rid ?? '') === (rid ?? ''))?.maxBitrate;
    const active = encodings.filter((encoding) => encoding.active && rateOf(encoding));
    const sum = active.reduce((all, encoding) => all + rateOf(encoding), 0);
    const share = maxBps && sum > maxBps ? maxBps / sum : 1;
    for (const encoding of active)
        encoding.maxBitrate = Math.round(rateOf(encoding) * share);
}

/** An error with the server's stable code. */
export class CallError extends Error {
    constructor(code, message) {
        super(message);
        this.name = 'CallError';
        this.code = code;
    }
}

/** ws:// or wss:// address of the server that served this page. */
export function defaultUrl() {
    const url = new URL('/ws', location.href);
    url.protocol = url.protocol.replace('http', 'ws');
    return url.href;
}

/** Offer only `codec` and what repairs it; all codecs where the browser does not have it. */
function preferCodec(transceiver, codec) {
    const { codecs } = RTCRtpSender.getCapabilities('video');
    const wanted = codecs.filter(({ mimeType }) => mimeType.toLowerCase() === `video/${codec.toLowerCase()}`);
    const repair = codecs.filter(({ mimeType }) => /^video\/(rtx|red|ulpfec)$/i.test(mimeType));
    if (wanted.length)
        transceiver.setCodecPreferences([...wanted, ...repair]);
    else
        console.warn(`sluice: this browser has no ${codec}`);
}

export class Call extends EventTarget {
    #socket = null;
    #pc = null;
    #requests = new Map();   // id -> {resolve, reject, timer}
    #nextId = 1;
    #offers = 0;
    #negotiation = Promise.resolve();
    #published = new Map();  // source -> {transceiver, id, muted}
    #slots = new Map();      // mid -> {track, participant} as the server last said
    #bound = new Map();      // track id -> mid
    #wanted = { ...FIRST_SLOTS };
    #pingTimer = 0;
    #mediaTimer = 0;
    #views = new Map();      // track id or mid -> the view that was last asked for, as JSON
    #newViews = new Map();   // likewise, not sent yet
    #viewTimer = 0;
    #settleTimer = 0;
    #settled = false;
    #videoCodec;

    /**
     * @param {object} options
     * @param {string} options.room   1 to 64 of letters, digits and . _ ~ -
     * @param {string} [options.name] shown to the others, at most 64 bytes
     * @param {string} [options.url]  ws(s)://host/ws; default: the server of this page
     * @param {string} [options.token] access token, if the server asks for one
     * @param {string} [options.videoCodec] publish video in this codec if the browser has it: 'VP8', 'VP9', 'H264', 'AV1'
     */
    constructor({ room, name = '', url = defaultUrl(), token = undefined, videoCodec = undefined }) {
        super();
        this.#videoCodec = videoCodec;
        this.room = room;
        this.name = name;
        this.url = url;
        this.token = token;
        this.state = 'idle';
        this.message = '';
        this.you = null;
        this.participants = new Map(); // id -> {id, name, tracks: Map(id -> track)}
    }

    /** The RTCPeerConnection, for statistics. */
    get peerConnection() {
        return this.#pc;
    }

    /**
     * Join the room and publish the tracks of `stream` (may be null: only watch and listen).
     * Resolves when the server has answered; media follows ('state' says 'connected').
     */
    async join(stream = null) {
        if (this.state !== 'idle')
            throw new CallError('already_joined', 'This call was used already; make a new one.');
        this.#setState('signaling', 'Reaching the server…');
        try {
            await this.#openSocket();
            this.#openPeerConnection();
            for (const track of stream ? stream.getTracks() : [])
                this.#addPublished(track, stream, track.kind === 'audio' ? 'microphone' : 'camera');
            this.#growSlots();
            await this.#joinRoom();
        } catch (error) {
            this.#fail(error.message);
            throw error;
        }
    }

    /** Publish one more track, for example of a screen. Resolves when the server knows it. */
    async publish(track, source) {
        const published = this.#addPublished(track, new MediaStream([track]), source);
        try {
            await this.#renegotiate();
            if (!published.id && this.#published.get(source) === published)
                throw new CallError('too_many_tracks', 'The server takes no more tracks of yours.');
        } catch (error) {
            if (this.#published.get(source) === published)
                this.#published.delete(source);
            if (published.transceiver.currentDirection !== 'stopped')
                published.transceiver.direction = 'inactive';
            throw error;
        }
    }

    /** Stop publishing `source`; its m-line stays and can be used again. */
    async unpublish(source) {
        const published = this.#published.get(source);
        if (!published)
            return;
        this.#published.delete(source);
        await published.transceiver.sender.replaceTrack(null);
        published.transceiver.direction = 'inactive';
        await this.#renegotiate();
    }

    /** Replace what `source` sends (another camera, or null: nothing) without negotiation. */
    async replaceTrack(source, track) {
        const published = this.#published.get(source);
        if (published)
            await published.transceiver.sender.replaceTrack(track);
    }

    /** @returns {boolean} whether `source` is being published */
    publishes(source) {
        return this.#published.has(source);
    }

    /** Mute or unmute a published source: nothing is sent, and the others are told. */
    async mute(source, muted) {
        const published = this.#published.get(source);
        if (!published)
            return;
        published.muted = muted;
        if (published.transceiver.sender.track)
            published.transceiver.sender.track.enabled = !muted;
        if (published.id && this.#socket)
            await this.#request('mute', { track: published.id, muted });
    }

    /**
     * Say how a remote video track is shown, so that the server sends what suits. It takes the place of what was said of
     * the track before; call it whenever the layout changes, as often as you like.
     * @param {string} trackId
     * @param {object} view
     * @param {number} [view.width]  as shown, in device pixels; left out: as large as there is
     * @param {number} [view.height]
     * @param {number} [view.fps]    more frames per second are of no use
     * @param {string} [view.priority] 'normal', 'speaker', 'screen' or 'pinned'
     * @param {boolean} [view.paused] not shown at all
     */
    view(trackId, view) {
        const round = (n) => n && Math.min(16384, Math.max(1, Math.round(n)));
        const entry = { ...view, track: trackId, width: round(view.width), height: round(view.height) };
        if (this.#views.get(trackId) === JSON.stringify(entry)) {
            this.#newViews.delete(trackId);
            return;
        }
        this.#newViews.set(trackId, entry);
        this.#viewTimer ||= setTimeout(() => this.#sendViews(), VIEW_DELAY_MS);
    }

    /** Say whether a remote track may come at all. At first all may. */
    async subscribe(trackId, subscribed = true) {
        await this.#request(subscribed ? 'subscribe' : 'unsubscribe', { track: trackId });
    }

    /** Leave the room. The call cannot be used again. */
    async leave() {
        if (this.state === 'left' || this.state === 'failed')
            return;
        const polite = this.#socket?.readyState === WebSocket.OPEN && this.you
            ? this.#request('leave').catch(() => {}) : null;
        this.#setState('left', 'You left the call.');
        if (polite)
            await Promise.race([polite, new Promise((done) => setTimeout(done, 500))]);
        this.#close();
    }

    // --- signaling ---------------------------------------------------------------------------

    #openSocket() {
        return new Promise((resolve, reject) => {
            const host = new URL(this.url).host;
            const socket = new WebSocket(this.url);
            const timer = setTimeout(() => socket.close(), REQUEST_TIMEOUT_MS);
            socket.onopen = () => {
                clearTimeout(timer);
                this.#socket = socket;
                this.#pingTimer = setInterval(() => this.#request('ping').catch(() => {}), PING_MS);
                resolve();
            };
            socket.onmessage = (event) => this.#onMessage(event.data);
            socket.onclose = () => {
                clearTimeout(timer);
                reject(new CallError('unreachable',
                    `The server at ${host} does not answer. Is it running, and is the address right?`));
                this.#onSocketClosed();
            };
        });
    }

    #request(type, fields = {}) {
        return new Promise((resolve, reject) => {
            if (this.#socket?.readyState !== WebSocket.OPEN) {
                reject(new CallError('disconnected', 'The connection to the server is closed.'));
                return;
            }
            const id = this.#nextId++;
            const timer = setTimeout(() => {
                this.#requests.delete(id);
                reject(new CallError('timeout', `The server did not answer "${type}" in time.`));
            }, REQUEST_TIMEOUT_MS);
            this.#requests.set(id, { resolve, reject, timer });
            this.#socket.send(JSON.stringify({ t: type, id, ...fields }));
        });
    }

    #onMessage(text) {
        const message = JSON.parse(text);
        const request = this.#requests.get(message.re);
        if (request) {
            this.#requests.delete(message.re);
            clearTimeout(request.timer);
            if (message.t === 'error')
                request.reject(new CallError(message.code, message.message));
            else
                request.resolve(message);
        }
        switch (message.t) {
        case 'joined': return this.#onJoined(message);
        case 'answer': return this.#learnTracks(message.tracks);
        case 'participant': return this.#onParticipant(message);
        case 'track': return this.#onTrack(message);
        case 'slots': return this.#onSlots(message.slots);
        case 'need': return this.#onNeed(message);
        case 'speakers': return this.#onSpeakers(message.speakers);
        case 'stream': return this.#onStream(message.streams);
        case 'want': return this.#onWant(message);
        case 'limit': return this.#onLimit(message);
        case 'quality': return this.#emit('quality', message);
        case 'go': return this.#onGo(message);
        default: return undefined; // replies, and messages of a later version
        }
    }

    #onJoined(message) {
        this.you = message.you;
        this.#learnTracks(message.tracks);
        for (const participant of message.participants)
            this.#addParticipant(participant);
    }

    #learnTracks(tracks = []) {
        for (const track of tracks) {
            const published = this.#published.get(track.source);
            if (published)
                Object.assign(published, { id: track.id, maxBps: track.max_bps ?? 0, answeredBps: track.max_bps ?? 0 });
        }
    }

    #addParticipant({ id, name, tracks = [] }) {
        const participant = { id, name, tracks: new Map() };
        this.participants.set(id, participant);
        this.#emit('participant', { participant, change: 'join' });
        for (const track of tracks)
            this.#addTrack({ ...track, participant: id });
    }

    #onParticipant({ change, participant, code, message }) {
        if (change === 'join') {
            this.#addParticipant(participant);
            return;
        }
        const known = this.participants.get(participant.id);
        if (!known)
            return;
        if (change === 'update') {
            known.name = participant.name ?? known.name;
            this.#emit('participant', { participant: known, change });
            return;
        }
        for (const track of known.tracks.values())
            this.#removeTrack(track);
        this.participants.delete(known.id);
        this.#emit('participant', { participant: known, change, code, message });
    }

    #onTrack({ change, track }) {
        const known = this.participants.get(track.participant)?.tracks.get(track.id);
        if (change === 'leave') {
            if (known)
                this.#removeTrack(known);
        } else if (known) {
            Object.assign(known, track);
            this.#emit('update', { track: known });
        } else {
            this.#addTrack(track);
        }
    }

    #addTrack(track) {
        const participant = this.participants.get(track.participant);
        if (!participant)
            return;
        participant.tracks.set(track.id, track);
        this.#emit('update', { track });
        if (this.#bound.has(track.id))
            this.#announce(track.id);
    }

    #removeTrack(track) {
        this.#views.delete(track.id);
        this.#newViews.delete(track.id);
        const participant = this.participants.get(track.participant);
        participant?.tracks.delete(track.id);
        this.#emit('track', { track, participant, media: null });
    }

    // --- what is shown and sent --------------------------------------------------------------

    #sendViews() {
        this.#viewTimer = 0;
        const views = [...this.#newViews.values()].slice(0, 128);
        for (const entry of views) {
            this.#newViews.delete(entry.track);
            this.#views.set(entry.track, JSON.stringify(entry));
        }
        // One that left in the meantime is no news.
        if (views.length)
            this.#request('view', views.length === 1 ? views[0] : { views }).catch(() => {});
        if (this.#newViews.size)
            this.#viewTimer = setTimeout(() => this.#sendViews(), VIEW_DELAY_MS);
    }

    #findTrack(trackId) {
        for (const participant of this.participants.values()) {
            const track = participant.tracks.get(trackId);
            if (track)
                return { participant, track };
        }
        return {};
    }

    #onSpeakers(speakers) {
        this.#emit('speakers', { speakers: speakers.map(({ participant, level, dominant = false }) =>
            ({ id: participant, participant: this.participants.get(participant) ?? null, level, dominant })) });
    }

    #onStream(streams) {
        for (const { track: id, state, reason } of streams) {
            const { track, participant } = this.#findTrack(id);
            if (!track)
                continue;
            track.paused = state === 'paused' ? reason : null;
            this.#emit('stream', { track, participant });
        }
    }

    #findPublished(trackId) {
        return [...this.#published.values()].find(({ id }) => id === trackId);
    }

    /** Send only what somebody needs. */
    #onWant({ track, layers, max_fps: maxFps = 0 }) {
        const published = this.#findPublished(track);
        if (!published)
            return;
        published.want = { layers, maxFps };
        this.#obey(published);
    }

    /** Send no more than the server takes. What the last answer said holds, too: more needs a new one. */
    #onLimit({ track, max_bps: maxBps }) {
        const published = this.#findPublished(track);
        if (!published)
            return;
        published.maxBps = maxBps;
        if (published.answeredBps && (!maxBps || maxBps > published.answeredBps))
            this.#renegotiate().catch((error) => console.warn('sluice: re-offer failed:', error));
        else
            this.#obey(published);
    }

    /** From now on the browser knows its uplink: stop what nobody needs. */
    #settle() {
        this.#settled = true;
        this.#obeyAll();
    }

    #obeyAll() {
        for (const published of this.#published.values())
            if (published.want || published.maxBps)
                this.#obey(published);
    }

    #obey(published) {
        published.obeying = published.obeying.then(async () => {
            const { sender } = published.transceiver;
            const { layers, maxFps } = published.want ?? { layers: [], maxFps: 0 };
            const parameters = sender.getParameters();
            if (!parameters.encodings?.length)
                return;
            for (const encoding of parameters.encodings) {
                const layer = layers.find(({ rid }) => (rid ?? '') === (encoding.rid ?? '')) ??
                    (parameters.encodings.length === 1 ? layers[0] : null);
                if (layer)
                    encoding.active = layer.active || !this.#settled;
                if (maxFps)
                    encoding.maxFramerate = maxFps;
                else
                    delete encoding.maxFramerate;
            }
            /* The smallest goes on while any is needed: whoever's network becomes slow finds it there at once. And
             * Chromium sends nothing at all of VP9 while the smallest is off and two others are on. */
            if (parameters.encodings.some(({ active }) => active))
                parameters.encodings[0].active = true;
            limitRates(parameters.encodings, published.rates, published.maxBps);
            await sender.setParameters(parameters);
        }).catch((error) => console.debug('sluice: the browser sends what nobody needs:', error.message));
    }

    // --- slots -------------------------------------------------------------------------------

    #onSlots(slots) {
        for (const slot of slots) {
            const before = this.#slots.get(slot.mid)?.track;
            if (before && this.#bound.get(before) === slot.mid) {
                this.#bound.delete(before);
                this.#announce(before);
            }
            this.#slots.set(slot.mid, slot);
            if (slot.track) {
                this.#bound.set(slot.track, slot.mid);
                this.#announce(slot.track);
            }
        }
    }

    /** Tell the page what carries a track now, if both the roster and the slots know it. */
    #announce(trackId) {
        for (const participant of this.participants.values()) {
            const track = participant.tracks.get(trackId);
            if (!track)
                continue;
            const mid = this.#bound.get(trackId);
            const transceiver = this.#pc?.getTransceivers().find((t) => mid && t.mid === mid);
            this.#emit('track', { track, participant, media: transceiver?.receiver.track ?? null,
                receiver: transceiver?.receiver ?? null });
        }
    }

    #growSlots() {
        for (const kind of ['audio', 'video']) {
            const has = this.#pc.getTransceivers().filter(
                (t) => t.direction === 'recvonly' && t.receiver.track.kind === kind).length;
            for (let i = has; i < this.#wanted[kind]; i++)
                this.#pc.addTransceiver(kind, { direction: 'recvonly' });
        }
    }

    #onNeed({ audio = 0, video = 0 }) {
        this.#wanted = { audio: Math.max(audio, this.#wanted.audio),
            video: Math.max(video, this.#wanted.video) };
        this.#growSlots();
        this.#renegotiate().catch((error) => console.warn('sluice: re-offer failed:', error));
    }

    // --- media -------------------------------------------------------------------------------

    #openPeerConnection() {
        const pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
        this.#pc = pc;
        pc.onconnectionstatechange = () => this.#onConnectionState(pc.connectionState);
    }

    #addPublished(track, stream, source) {
        const idle = this.#pc.getTransceivers().find((t) => t.direction === 'inactive' &&
            t.currentDirection === 'inactive' && t.sender && t.receiver.track.kind === track.kind);
        if (idle) {
            idle.direction = 'sendonly';
            idle.sender.replaceTrack(track);
        }
        const sendEncodings = track.kind === 'video' ? encodingsFor(track, source) : undefined;
        const transceiver = idle ?? this.#pc.addTransceiver(track, { direction: 'sendonly', streams: [stream],
            ...(sendEncodings ? { sendEncodings } : {}) });
        if (track.kind === 'video' && this.#videoCodec)
            preferCodec(transceiver, this.#videoCodec);
        const published = { transceiver, id: null, muted: !track.enabled, want: null, obeying: Promise.resolve(),
            maxBps: 0, answeredBps: 0, rates: sendEncodings?.map(({ rid, maxBitrate }) => ({ rid, maxBitrate })) };
        this.#published.set(source, published);
        return published;
    }

    #describeTracks() {
        return [...this.#published].map(([source, { transceiver, muted }]) => ({
            mid: transceiver.mid, kind: transceiver.receiver.track.kind, source, muted }));
    }

    async #joinRoom() {
        await this.#pc.setLocalDescription();
        this.#offers = 1;
        const joined = await this.#request('join', { room: this.room, name: this.name, token: this.token,
            offer: this.#pc.localDescription.sdp, tracks: this.#describeTracks() });
        this.#setState('connecting', 'Connecting audio and video…');
        this.#mediaTimer = setTimeout(() => this.#onConnectionState('failed'), MEDIA_TIMEOUT_MS);
        await this.#pc.setRemoteDescription({ type: 'answer', sdp: joined.answer });
        this.#obeyAll();
        for (const track of this.#bound.keys())
            this.#announce(track);
    }

    /** One offer at a time, in order. */
    #renegotiate() {
        this.#negotiation = this.#negotiation.catch(() => {}).then(async () => {
            await this.#pc.setLocalDescription(await this.#pc.createOffer());
            const answer = await this.#request('offer', { n: ++this.#offers,
                sdp: this.#pc.localDescription.sdp, tracks: this.#describeTracks() });
            await this.#pc.setRemoteDescription({ type: 'answer', sdp: answer.sdp });
            this.#obeyAll(); // an answer makes all encodings active
            for (const track of this.#bound.keys())
                this.#announce(track);
        });
        return this.#negotiation;
    }

    #onConnectionState(connection) {
        if (this.state === 'left' || this.state === 'failed')
            return;
        if (connection === 'connected') {
            clearTimeout(this.#mediaTimer);
            this.#settleTimer ||= setTimeout(() => this.#settle(), SETTLE_MS);
            this.#setState('connected', 'Connected.');
        } else if (connection === 'disconnected') {
            this.#setState('interrupted', 'The network does not answer. Waiting for it to come back…');
        } else if (connection === 'failed') {
            this.#fail(this.state === 'connecting'
                ? 'The server answers, but no audio or video gets through: its UDP port is blocked '
                  + 'on the way. Try another network, or ask the operator to open it.'
                : 'The connection for audio and video was lost.');
        }
    }

    #onGo({ action, message }) {
        if (action === 'leave')
            this.#fail(`The server ended your call: ${message}.`);
    }

    #onSocketClosed() {
        if (this.state === 'left' || this.state === 'failed' || !this.#socket)
            return;
        this.#fail('The connection to the server was lost.');
    }

    #fail(message) {
        if (this.state === 'left' || this.state === 'failed')
            return;
        this.#setState('failed', message);
        this.#close();
    }

    #close() {
        clearInterval(this.#pingTimer);
        clearTimeout(this.#mediaTimer);
        clearTimeout(this.#viewTimer);
        clearTimeout(this.#settleTimer);
        for (const { reject, timer } of this.#requests.values()) {
            clearTimeout(timer);
            reject(new CallError('disconnected', 'The call has ended.'));
        }
        this.#requests.clear();
        this.#socket?.close();
        this.#pc?.close();
    }

    #setState(state, message) {
        if (this.state === state && this.message === message)
            return;
        this.state = state;
        this.message = message;
        this.#emit('state', { state, message });
    }

    #emit(type, detail) {
        this.dispatchEvent(new CustomEvent(type, { detail }));
    }
}
