/**
 * The RTCPeerConnection of a direct call, to one other client. The caller offers, the callee answers; what they tell each
 * other goes through `send`, and is documented in docs/PROTOCOL.md (relay).
 *
 * The caller's m-lines are those that it would offer a server: `sendonly` for what it sends, `recvonly` for what it takes.
 */

const GRACE_MS = 3000;      // in which a path may come back by itself
const CONNECT_MS = 15000;   // after which a path that was not found will not be
const KINDS = { audio: 'microphone', video: 'camera' };

export class DirectLink {
    #role;
    #handler;
    #sources;                  // source -> track that is sent
    #offers = 0;
    #negotiation = Promise.resolve();
    #candidates = [];          // that came before there was a description to add them to
    #described = false;        // the other one is
    #muted = new Map();        // source -> whether the other one said so
    #told = new Map();         // mid -> source, of what the other one sends
    #shown = new Set();        // mids that the page knows of
    #timer = 0;
    #closed = false;

    /**
     * @param {object} options
     * @param {string} options.role        'caller' or 'callee'
     * @param {Map} options.sources        source -> MediaStreamTrack, what is sent
     * @param {object[]} options.iceServers
     * @param {boolean} [options.relayOnly]
     * @param {object} handler
     * @param {function} handler.send      tell the other one: (data) => {}
     * @param {function} handler.onState   'connecting', 'connected', 'interrupted' or 'failed': (state) => {}
     * @param {function} handler.onTrack   something comes: ({source, kind, muted, receiver}) => {}
     * @param {function} handler.onMute    the other one muted something: (source, muted) => {}
     */
    constructor({ role, sources, iceServers, relayOnly = false }, handler) {
        this.#role = role;
        this.#handler = handler;
        this.#sources = new Map(sources);
        this.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle', iceServers,
            iceTransportPolicy: relayOnly ? 'relay' : 'all' });
        this.pc.onicecandidate = ({ candidate }) => this.#send({ type: 'candidate', candidate: candidate?.toJSON() ?? null });
        this.pc.onconnectionstatechange = () => this.#onState(this.pc.connectionState);
        this.restart = this.restart.bind(this);
        addEventListener('online', this.restart);
        this.#giveUpIn(CONNECT_MS);
        if (role === 'caller')
            this.#begin();
    }

    close() {
        this.#closed = true;
        clearTimeout(this.#timer);
        removeEventListener('online', this.restart);
        this.pc.onconnectionstatechange = this.pc.onicecandidate = null;
        this.pc.close();
    }

    /** What the other one says. */
    receive(data) {
        switch (data.type) {
        case 'offer': return this.#queue(() => this.#onOffer(data));
        case 'answer': return this.#queue(() => this.#onAnswer(data));
        case 'candidate': return this.#queue(() => this.#onCandidate(data.candidate));
        case 'restart': return this.restart();
        case 'mute':
            this.#muted.set(data.source, Boolean(data.muted));
            return this.#handler.onMute(data.source, Boolean(data.muted));
        default: return undefined; // of a later version
        }
    }

    /** Find another path: the network has changed. */
    restart() {
        if (this.#closed)
            return;
        if (this.#role === 'callee') {
            this.#send({ type: 'restart' });
            return;
        }
        this.pc.restartIce();
        this.#queue(() => this.#offer());
    }

    mute(source, muted) {
        this.#send({ type: 'mute', source, muted });
    }

    /** Send another track of the same source, or none. */
    async replaceTrack(source, track) {
        const sender = this.#senderOf(this.#sources.get(source));
        this.#sources.set(source, track);
        await sender?.replaceTrack(track);
    }

    // --- offers and answers ------------------------------------------------------------------

    #send(data) {
        if (!this.#closed)
            this.#handler.send(data);
    }

    /** One thing at a time, in order. */
    #queue(step) {
        this.#negotiation = this.#negotiation.then(() => (this.#closed ? undefined : step())).catch((error) => {
            if (!this.#closed)
                console.warn('sluice: direct call:', error);
        });
    }

    #begin() {
        const stream = new MediaStream([...this.#sources.values()].filter(Boolean));
        for (const track of this.#sources.values())
            this.pc.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
        for (const kind of Object.keys(KINDS))
            this.pc.addTransceiver(kind, { direction: 'recvonly' });
        this.#queue(() => this.#offer());
    }

    async #offer() {
        await this.pc.setLocalDescription(await this.pc.createOffer());
        this.#send({ type: 'offer', n: ++this.#offers, sdp: this.pc.localDescription.sdp, tracks: this.#describe() });
    }

    async #onOffer({ n, sdp, tracks }) {
        if (this.#role !== 'callee')
            return;
        await this.pc.setRemoteDescription({ type: 'offer', sdp });
        this.#fill(sdp);
        await this.pc.setLocalDescription(await this.pc.createAnswer());
        this.#send({ type: 'answer', n, sdp: this.pc.localDescription.sdp, tracks: this.#describe() });
        await this.#onDescribed(tracks);
    }

    async #onAnswer({ n, sdp, tracks }) {
        if (this.#role !== 'caller' || n !== this.#offers || this.pc.signalingState !== 'have-local-offer')
            return;
        await this.pc.setRemoteDescription({ type: 'answer', sdp });
        await this.#onDescribed(tracks);
    }

    async #onDescribed(tracks = []) {
        this.#described = true;
        for (const candidate of this.#candidates.splice(0))
            await this.#onCandidate(candidate);
        for (const { mid, source, muted } of tracks) {
            this.#told.set(mid, source);
            if (!this.#muted.has(source))
                this.#muted.set(source, Boolean(muted));
        }
        this.#show();
    }

    async #onCandidate(candidate) {
        if (!this.#described)
            this.#candidates.push(candidate);
        else
            await this.pc.addIceCandidate(candidate ?? undefined).catch((error) =>
                console.debug('sluice: a candidate is of no use:', error.message));
    }

    /** The callee sends what it has in the m-lines that were offered for that. */
    #fill(sdp) {
        const stream = new MediaStream([...this.#sources.values()].filter(Boolean));
        const free = [...this.#sources.values()].filter((track) => track && !this.#senderOf(track));
        for (const section of sdp.split(/^m=/m).slice(1)) {
            const mid = /^a=mid:(\S+)/m.exec(section)?.[1];
            const transceiver = this.pc.getTransceivers().find((t) => t.mid === mid);
            if (!transceiver || !/^a=recvonly/m.test(section) || transceiver.sender.track)
                continue;
            const track = free.find(({ kind }) => section.startsWith(kind));
            if (!track)
                continue;
            free.splice(free.indexOf(track), 1);
            transceiver.sender.replaceTrack(track);
            transceiver.sender.setStreams?.(stream);
            transceiver.direction = 'sendonly';
        }
    }

    #senderOf(track) {
        return track && this.pc.getSenders().find((sender) => sender.track === track);
    }

    #describe() {
        const all = [];
        for (const [source, track] of this.#sources) {
            const transceiver = this.pc.getTransceivers().find((t) => track && t.sender.track === track);
            if (transceiver)
                all.push({ mid: transceiver.mid, kind: track.kind, source, muted: !track.enabled });
        }
        return all;
    }

    /** Tell the page what comes. Without a word about an m-line it is the microphone or the camera. */
    #show() {
        for (const { mid, receiver, currentDirection } of this.pc.getTransceivers()) {
            if (this.#shown.has(mid) || !/recv/.test(currentDirection ?? ''))
                continue;
            const source = this.#told.get(mid) ?? KINDS[receiver.track.kind];
            this.#shown.add(mid);
            this.#handler.onTrack({ source, kind: receiver.track.kind, receiver, muted: this.#muted.get(source) ?? false });
        }
    }

    // --- the path ----------------------------------------------------------------------------

    #giveUpIn(ms) {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => this.#handler.onState('failed'), ms);
    }

    #onState(state) {
        if (state === 'connected') {
            clearTimeout(this.#timer);
            this.#handler.onState('connected');
        } else if (state === 'disconnected' || state === 'failed') {
            this.#handler.onState('interrupted');
            clearTimeout(this.#timer);
            this.#timer = setTimeout(() => {
                this.restart();
                this.#giveUpIn(CONNECT_MS);
            }, state === 'failed' ? 0 : GRACE_MS);
        }
    }
}
