/**
 * sluice.js: group calls with a sluice server, in a browser, without dependencies.
 *
 *     import { Call } from '/client/sluice.js';
 *     const call = new Call({ room: 'demo', name: 'Ada' });
 *     call.addEventListener('track', (e) => show(e.detail));   // a remote track begins or ends
 *     await call.join(await navigator.mediaDevices.getUserMedia({ audio: true, video: true }));
 *
 * A call survives what happens to networks and servers: it resumes, looks for another path, or joins anew, by itself.
 * One RTCPeerConnection carries everything. The browser always offers, the server always answers.
 * Receiving m-lines are slots: the server binds tracks to them by `slots` messages, without SDP.
 * The messages are documented in docs/PROTOCOL.md.
 *
 * Events (CustomEvent, data in `detail`):
 *   state        {state, message, media}      see STATES; `message` is a sentence for people
 *   participant  {participant, change}        change: 'join' | 'update' | 'leave', reason on leave
 *   track        {track, participant, media}  media: MediaStreamTrack, or null when it is gone
 *   update       {track}                      a remote track was muted or unmuted
 *   muted        {source, held}               whoever runs the server muted you; held: and you cannot unmute yourself now
 *   speakers     {speakers}                   who speaks now: [{participant, level, dominant}], dominant first
 *   stream       {track, participant}         a remote track is paused, or comes again: see track.paused
 *   quality      {you, participants, ...}     how well it goes, as docs/PROTOCOL.md has it, every 5 s
 *   incoming     {call}                       somebody calls you: a DirectCall, with accept() and reject()
 *   ringing      {call}                       it rings where you called
 *   accepted     {call, role}                 you talk to each other, peer to peer; tracks come as `track`
 *   ended        {call, code, message}        'ended', 'rejected', 'busy', 'cancelled', 'timeout', 'left' or 'failed'
 *   direct       {state, peer}                the way to the other one of a direct call: 'connected', 'interrupted', 'failed'
 *
 * Direct calls: `call.call(participantId)`, or a room for two, `new Call({ room, mode: 'direct' })`, which becomes an ordinary
 * one when a third joins. Tracks that come peer to peer have `direct: true`.
 *
 * A camera is published in up to three sizes (simulcast), of which the server forwards to each viewer the one that
 * suits; those that nobody needs are not sent. Tell with view() how large you show what, and what you do not show.
 */

import { CallError, Connection, defaultUrl, pause, pauseMs, socketUrl } from '/client/connection.js';
import { Direct, DirectCall } from '/client/direct.js';
import { Media } from '/client/media.js';
import { Roster } from '/client/roster.js';

export { CallError, DirectCall, defaultUrl };
export { encodingsFor } from '/client/encodings.js';

/**
 * States of a call. `interrupted`: no media comes at the moment, and another path is looked for. `reconnecting`: the server is
 * not there at the moment; media goes on if `detail.media` says so, and otherwise we join anew. `failed` and `left` are final.
 */
export const STATES = ['idle', 'signaling', 'connecting', 'connected', 'interrupted', 'reconnecting', 'failed', 'left'];

/** Refusals that may be another answer a little later. */
const PASSING = new Set(['unreachable', 'disconnected', 'timeout', 'server_stopping', 'server_draining', 'busy', 'overloaded',
    'rate_limited']);
/** Ends of the media connection, after which one joins anew. */
const LOST = new Set(['connection_lost', 'failed']);

const MEDIA_TIMEOUT_MS = 20000;
const VIEW_DELAY_MS = 100;
const GIVE_UP_MS = 60000;
const REOPEN_MS = 5000;

export class Call extends EventTarget {
    #connection;
    #media = null;
    #roster;
    #direct;
    #mode;
    #sources = new Map();    // source -> track, of the stream that was given to join()
    #iceServers = [];
    #mediaTimer = 0;
    #mediaState = 'new';
    #away = false;           // the server is not there at the moment
    #rejoining = false;
    #onOnline = () => this.#onNetworkChange();
    #views = new Map();      // track id -> the view that was last asked for, as JSON
    #newViews = new Map();   // likewise, not sent yet
    #viewTimer = 0;
    #videoCodec;
    #relayOnly;

    /**
     * @param {object} options
     * @param {string} options.room   1 to 64 of letters, digits and . _ ~ -
     * @param {string} [options.name] shown to the others, at most 64 bytes
     * @param {string} [options.url]  ws(s)://host/ws; default: the server of this page
     * @param {string} [options.token] access token, if the server asks for one
     * @param {string} [options.mode] 'sfu': media over the server; 'direct': a room for two; 'presence': no media but in direct calls
     * @param {boolean} [options.relayOnly] media goes over the server's TURN servers only, to try them
     * @param {number} [options.giveUpMs] try for so long to reach a server that was lost; default: a minute
     * @param {string} [options.videoCodec] publish video in this codec if the browser has it: 'VP8', 'VP9', 'H264', 'AV1'
     */
    constructor({ room, name = '', url = defaultUrl(), token = undefined, videoCodec = undefined, relayOnly = false,
        mode = 'sfu', giveUpMs = GIVE_UP_MS }) {
        super();
        this.#videoCodec = videoCodec;
        this.#relayOnly = relayOnly;
        this.#mode = mode;
        this.room = room;
        this.name = name;
        this.url = url;
        this.token = token;
        this.state = 'idle';
        this.message = '';
        this.you = null;
        this.#connection = new Connection(url, giveUpMs, {
            onMessage: (message) => this.#onMessage(message),
            onLost: () => this.#onLost(),
            onResumed: (message) => this.#onResumed(message),
            onGone: (unreachable) => this.#onGone(unreachable),
        });
        this.#roster = new Roster({
            emit: (type, detail) => this.#emit(type, detail),
            onGone: (trackId) => { this.#views.delete(trackId); this.#newViews.delete(trackId); },
            receiver: (mid) => this.#media?.receiver(mid),
        });
        this.#direct = this.#makeDirect();
    }

    /** The peer connection of a direct call, for statistics, or null. */
    get directConnection() {
        return this.#direct.peerConnection;
    }

    /** The direct call that rings or goes on, or null. */
    get directCall() {
        return this.#direct.call;
    }

    /** How long a server that was lost is looked for. */
    set giveUpMs(ms) {
        this.#connection.giveUpMs = ms;
    }

    /** Who else is in the room: id -> {id, name, tracks: Map(id -> track)}. */
    get participants() {
        return this.#roster.participants;
    }

    /** The RTCPeerConnection, for statistics. */
    get peerConnection() {
        return this.#media?.pc ?? null;
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
            await this.#connection.open();
            for (const track of stream ? stream.getTracks() : [])
                this.#sources.set(track.kind === 'audio' ? 'microphone' : 'camera', track);
            if (this.#mode === 'sfu')
                await this.#openMedia((offer) => this.#joinRoom(offer));
            else
                await this.#joinWithoutMedia();
            addEventListener('online', this.#onOnline);
        } catch (error) {
            this.#fail(error.message);
            throw error;
        }
    }

    /** Publish one more track, for example of a screen. Resolves when the server knows it. */
    async publish(track, source) {
        if (!this.#media)
            await this.#direct.toServer();
        const { published: all } = this.#media;
        const published = this.#media.add(track, new MediaStream([track]), source);
        try {
            await this.#media.renegotiate();
            if (!published.id && all.get(source) === published)
                throw new CallError('too_many_tracks', 'The server takes no more tracks of yours.');
        } catch (error) {
            if (all.get(source) === published)
                all.delete(source);
            if (published.transceiver.currentDirection !== 'stopped')
                published.transceiver.direction = 'inactive';
            throw error;
        }
    }

    /** Stop publishing `source`; its m-line stays and can be used again. */
    async unpublish(source) {
        const published = this.#media.published.get(source);
        if (!published)
            return;
        this.#media.published.delete(source);
        await published.transceiver.sender.replaceTrack(null);
        published.transceiver.direction = 'inactive';
        await this.#media.renegotiate();
    }

    /** Replace what `source` sends (another camera, or null: nothing) without negotiation. */
    async replaceTrack(source, track) {
        this.#sources.set(source, track);
        await this.#direct.replaceTrack(source, track);
        if (!this.#direct.call)
            await this.#media?.published.get(source)?.transceiver.sender.replaceTrack(track);
    }

    /** @returns {boolean} whether `source` is being published */
    publishes(source) {
        return Boolean(this.#media?.published.has(source));
    }

    /** Mute or unmute a published source: nothing is sent, and the others are told. */
    async mute(source, muted) {
        const track = this.#sources.get(source);
        if (track)
            track.enabled = !muted;
        this.#direct.mute(source, muted);
        const published = this.#media?.published.get(source);
        if (!published)
            return;
        published.muted = muted;
        if (published.transceiver.sender.track)
            published.transceiver.sender.track.enabled = !muted;
        if (published.id && this.#direct.call?.state !== 'active')
            await this.#connection.request('mute', { track: published.id, muted }).catch((error) => {
                if (error.code !== 'held')
                    throw error;
                this.#silence(source, true);
            });
    }

    /** Muted from afar: the server drops it anyway, so stop sending it, too. */
    #silence(source, held) {
        const published = this.#media?.published.get(source);
        for (const track of [this.#sources.get(source), published?.transceiver.sender.track])
            if (track)
                track.enabled = false;
        if (published)
            published.muted = true;
        this.#emit('muted', { source, held });
    }

    /** Tracks of our own, as the server tells them. */
    #learnTracks(tracks = []) {
        this.#media?.learn(tracks);
        for (const { source, muted_by: by } of tracks)
            if (by && !this.#media?.published.get(source)?.muted)
                this.#silence(source, false);
    }

    #onTrack(message) {
        if (message.track.participant === this.you)
            this.#learnTracks([message.track]);
        else
            this.#roster.onTrack(message);
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
        if (this.#roster.find(trackId).track?.direct)
            return; // the server has no part in it
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
        await this.#connection.request(subscribed ? 'subscribe' : 'unsubscribe', { track: trackId });
    }

    /**
     * Call somebody who is in the room. What was given to join() is sent, peer to peer; meanwhile the room gets nothing of it.
     * @param {string} participantId
     * @param {object} [options]
     * @param {boolean} [options.video]  with the camera
     * @returns {Promise<DirectCall>} once the server has taken it; events tell what comes of it
     */
    call(participantId, { video = true } = {}) {
        return this.#direct.make(participantId, video);
    }

    /** Leave the room. The call cannot be used again. */
    async leave() {
        if (this.#isOver())
            return;
        const polite = this.#connection.isOpen && this.you
            ? this.#connection.request('leave').catch(() => {}) : null;
        this.#setState('left', 'You left the call.');
        if (polite)
            await Promise.race([polite, new Promise((done) => setTimeout(done, 500))]);
        this.#close();
    }

    // --- what the server says ----------------------------------------------------------------

    #onMessage(message) {
        switch (message.t) {
        case 'joined': return this.#onJoined(message);
        case 'answer': return this.#learnTracks(message.tracks);
        case 'participant': return this.#onParticipant(message);
        case 'track': return this.#onTrack(message);
        case 'slots': return this.#roster.onSlots(message.slots);
        case 'need': return this.#onNeed(message);
        case 'speakers': return this.#onSpeakers(message.speakers);
        case 'stream': return this.#roster.onStream(message.streams);
        case 'want': return this.#media.want(message);
        case 'limit': return this.#media.limit(message);
        case 'quality': return this.#emit('quality', message);
        case 'token': this.token = message.token; return this.#emit('token', message);
        case 'go': return this.#onGo(message);
        default: return this.#direct.onMessage(message); // or a reply, or a message of a later version
        }
    }

    #onParticipant(message) {
        this.#roster.onParticipant(message);
        this.#direct.onParticipant(message);
    }

    #onJoined(message) {
        this.you = message.you;
        this.#iceServers = message.ice_servers;
        this.#roster.clear();
        this.#views.clear();
        this.#learnTracks(message.tracks);
        for (const participant of message.participants)
            this.#roster.add(participant);
        this.#direct.joined(message);
    }

    #onSpeakers(speakers) {
        this.#emit('speakers', { speakers: speakers.map(({ participant, level, dominant = false }) =>
            ({ id: participant, participant: this.participants.get(participant) ?? null, level, dominant })) });
    }

    #onNeed(need) {
        this.#media.growSlots(need);
        this.#media.renegotiate().catch((error) => console.warn('sluice: re-offer failed:', error));
    }

    #onGo({ action, code, message, room, token, url, after_ms: afterMs = 0 }) {
        if (action === 'redirect' && url)
            this.url = socketUrl(url);
        if (action === 'rejoin' && room)
            this.room = room;
        if (action === 'rejoin' && token)
            this.token = token;
        if (action === 'rejoin' || action === 'redirect')
            this.#rejoin(afterMs);
        else if (LOST.has(code))
            this.#rejoin();
        else
            this.#fail(`The server ended your call: ${message}.`);
    }

    // --- when the connection is lost ---------------------------------------------------------

    #onNetworkChange() {
        this.#connection.probe();
        this.#media?.restart();
    }

    /** Signaling and media go the same way, mostly. */
    #onLost() {
        this.#away = true;
        this.#showState();
        this.#media?.doubt();
    }

    #onResumed(message) {
        const { replayed, tracks, participants, ice_servers: iceServers } = message;
        this.#away = false;
        this.#iceServers = iceServers;
        this.#media?.useServers(iceServers);
        if (!replayed) {
            this.#media?.learn(tracks);
            this.#roster.replace(participants);
            this.#direct.resumed(message);
        }
        this.#showState();
    }

    #onGone(unreachable) {
        if (unreachable)
            this.#fail('The server could not be reached any more.');
        else if (this.you)
            this.#rejoin();
        // else join() is told
    }

    /** Join anew, with what was published: from `afterMs` on, later each time, until we give up. */
    async #rejoin(afterMs = Math.random() * 500) {
        if (this.#rejoining || this.#isOver())
            return;
        this.#rejoining = true;
        this.#connection.close();
        this.#connection.url = this.url;
        this.#showState();
        const before = this.#media;
        this.#direct.close();
        this.#direct = this.#makeDirect();
        const since = performance.now();
        let error = null;
        for (let n = 0; !this.#isOver() && !(error && performance.now() - since > afterMs + this.#connection.giveUpMs); n++) {
            await pause(n ? Math.max(pauseMs(n), error?.retryAfterMs ?? 0) : afterMs);
            error = this.#isOver() ? null : await this.#joinAnew(before).then(() => null, (reason) => reason);
            if (!error || !PASSING.has(error.code))
                break;
        }
        before?.close();
        this.#rejoining = false;
        if (error)
            this.#fail(PASSING.has(error.code) ? `The server could not be reached any more. ${error.message}` : error.message);
        else
            this.#showState();
    }

    async #joinAnew(first) {
        await this.#connection.open(REOPEN_MS);
        if (this.#media)
            await this.#replaceMedia(first);
        else if (this.#mode === 'sfu')
            await this.#openMedia((offer) => this.#joinRoom(offer));
        else
            await this.#joinWithoutMedia();
        this.#away = false;
    }

    async #replaceMedia(first) {
        const before = this.#media;
        this.#media = this.#makeMedia();
        this.#media.takeOver(before);
        if (before !== first)
            before.close();
        this.#mediaState = 'new';
        this.#media.growSlots();
        await this.#media.join((offer) => this.#joinRoom(offer));
    }

    // --- what is shown -----------------------------------------------------------------------

    #sendViews() {
        this.#viewTimer = 0;
        const views = [...this.#newViews.values()].slice(0, 128);
        for (const entry of views) {
            this.#newViews.delete(entry.track);
            this.#views.set(entry.track, JSON.stringify(entry));
        }
        // One that left in the meantime is no news.
        if (views.length)
            this.#connection.request('view', views.length === 1 ? views[0] : { views }).catch(() => {});
        if (this.#newViews.size)
            this.#viewTimer = setTimeout(() => this.#sendViews(), VIEW_DELAY_MS);
    }

    // --- media -------------------------------------------------------------------------------

    #makeMedia() {
        const media = new Media({ videoCodec: this.#videoCodec, relayOnly: this.#relayOnly }, {
            request: async (type, fields) => {
                if (media !== this.#media)
                    throw new CallError('disconnected', 'Another media connection has taken its place.');
                return this.#connection.request(type, fields);
            },
            onState: (state) => media === this.#media && this.#onConnectionState(state),
            onSilence: () => media === this.#media && this.#connection.probe(),
            onAnswered: () => this.#roster.announceAll(),
        });
        return media;
    }

    /** @param {function} request  sends the first offer, and resolves with what has `answer` and `ice_servers` */
    async #openMedia(request) {
        const stream = new MediaStream([...this.#sources.values()].filter(Boolean));
        this.#media = this.#makeMedia();
        for (const [source, track] of this.#sources)
            if (track)
                this.#media.add(track, stream, source);
        this.#media.growSlots();
        await this.#media.join(request);
    }

    async #joinWithoutMedia() {
        const { mode = 'sfu' } = await this.#connection.request('join', { room: this.room, name: this.name,
            token: this.token, ...(this.#mode === 'direct' ? { mode: 'direct' } : {}) });
        if (this.#mode === 'direct' && mode === 'sfu')
            await this.#direct.toServer();
        else
            this.#beConnected(this.#mode === 'direct' ? 'Waiting for somebody to join.' : 'In the room.');
    }

    /** The first offer of somebody who has joined without. */
    async #sendFirstOffer() {
        await this.#openMedia(async ({ offer, tracks }) => {
            const { sdp } = await this.#connection.request('offer', { n: 1, sdp: offer, tracks });
            this.#mediaState = 'connecting';
            this.#mediaTimer = setTimeout(() => this.#onConnectionState('failed'), MEDIA_TIMEOUT_MS);
            return { answer: sdp, ice_servers: this.#iceServers };
        });
    }

    #makeDirect() {
        return new Direct({
            request: (type, fields) => this.#connection.request(type, fields),
            emit: (type, detail) => this.#emit(type, detail),
            roster: this.#roster,
            settings: () => ({ sources: this.#sources, iceServers: this.#iceServers, relayOnly: this.#relayOnly }),
            onState: (state) => this.#onDirectState(state),
            onCalling: (on) => this.#stepAside(on),
            toServer: () => this.#sendFirstOffer().catch((error) => { this.#fail(error.message); throw error; }),
        });
    }

    #onDirectState(state) {
        if (state === 'alone')
            this.#beConnected('Waiting for somebody to join.');
        else
            this.#onConnectionState(state);
    }

    /** There is no media connection, nor need there be one. */
    #beConnected(message) {
        this.#mediaState = 'connected';
        if (!this.#rejoining)
            this.#setState('connected', message);
    }

    /** While a direct call goes on, the room gets nothing of what we say and show. */
    #stepAside(aside) {
        for (const [source, published] of this.#media?.published ?? []) {
            const track = this.#sources.get(source);
            if (!track)
                continue;
            published.transceiver.sender.replaceTrack(aside ? null : track).catch(() => {});
            published.muted = aside || !track.enabled;
            if (published.id)
                this.#connection.request('mute', { track: published.id, muted: published.muted }).catch(() => {});
        }
    }

    async #joinRoom(offer) {
        const joined = await this.#connection.request('join', { room: this.room, name: this.name, token: this.token, ...offer });
        this.#mediaState = 'connecting';
        if (!this.#rejoining)
            this.#showState();
        clearTimeout(this.#mediaTimer);
        this.#mediaTimer = setTimeout(() => this.#onConnectionState('failed'), MEDIA_TIMEOUT_MS);
        return joined;
    }

    #onConnectionState(connection) {
        if (this.#isOver())
            return;
        const first = this.#mediaState === 'connecting' && !this.#away;
        this.#mediaState = connection;
        if (connection === 'connected')
            clearTimeout(this.#mediaTimer);
        if (connection !== 'failed')
            this.#showState();
        else if (first)
            this.#fail('The server answers, but no audio or video gets through: its UDP port is blocked '
                + 'on the way. Try another network, or ask the operator to open it.');
        else
            this.#rejoin();
    }

    /** What follows from how the connections are. */
    #showState() {
        if (this.#isOver())
            return;
        if (this.#rejoining)
            this.#setState('reconnecting', 'The server was lost. Joining again…', { media: false });
        else if (this.#mediaState === 'disconnected')
            this.#setState('interrupted', 'The network does not answer. Waiting for it to come back…');
        else if (this.#away)
            this.#setState('reconnecting', 'The server does not answer. Audio and video go on…', { media: true });
        else if (this.#mediaState === 'connected')
            this.#setState('connected', 'Connected.');
        else
            this.#setState('connecting', 'Connecting audio and video…');
    }

    #isOver() {
        return this.state === 'left' || this.state === 'failed';
    }

    #fail(message) {
        if (this.#isOver())
            return;
        this.#setState('failed', message);
        this.#close();
    }

    #close() {
        clearTimeout(this.#mediaTimer);
        clearTimeout(this.#viewTimer);
        this.#direct.close();
        removeEventListener('online', this.#onOnline);
        this.#connection.close();
        this.#media?.close();
    }

    #setState(state, message, more = {}) {
        if (this.state === state && this.message === message)
            return;
        this.state = state;
        this.message = message;
        this.#emit('state', { state, message, ...more });
    }

    #emit(type, detail) {
        this.dispatchEvent(new CustomEvent(type, { detail }));
    }
}
