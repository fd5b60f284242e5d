/**
 * The RTCPeerConnection of a call and what is published over it. Receiving m-lines are slots, into which the server puts
 * tracks without SDP; the browser always offers, one offer at a time.
 */
import { encodingsFor, limitRates, preferCodec } from '/client/encodings.js';

const FIRST_SLOTS = { audio: 4, video: 4 };
const LOOK_MS = 200;       // how often it is looked whether anything comes
const SILENT_MS = 500;    // nothing comes any more of what came all the time: something may have happened to the network
const RESTART_MS = 4000;  // an ICE restart may take so long before there is another one
const REPAIR_MS = 20000;  // and all of them; then the connection is lost
const SETTLE_MS = 5000; // in which a browser finds out what its uplink carries, by sending all it has

export class Media {
    #offers = 0;
    #negotiation = Promise.resolve();
    #wanted = { ...FIRST_SLOTS };
    #settleTimer = 0;
    #settled = false;
    #restartTimer = 0;
    #repairTimer = 0;
    #wasConnected = false;
    #lookTimer = 0;
    #flows = false;
    #videoCodec;
    #relayOnly;
    #handler;

    /**
     * @param {object} options
     * @param {string} [options.videoCodec] publish video in this codec if the browser has it
     * @param {boolean} [options.relayOnly] send and receive over the TURN servers of `joined` only
     * @param {object} handler
     * @param {function} handler.request     send a request to the server: (type, fields) => promise of the reply
     * @param {function} handler.onState     RTCPeerConnection.connectionState changed: (state) => {}. 'failed' comes once and
     *                                       last; before, ICE restarts have been tried
     * @param {function} handler.onSilence   media came and comes no more: its publishers are silent, or the network is gone
     * @param {function} handler.onAnswered  an answer was applied: slots may have come
     */
    constructor({ videoCodec, relayOnly = false }, handler) {
        this.#videoCodec = videoCodec;
        this.#relayOnly = relayOnly;
        this.#handler = handler;
        this.published = new Map(); // source -> {transceiver, id, muted, ...}
        this.pc = new RTCPeerConnection(this.#configuration());
        this.pc.onconnectionstatechange = () => this.#onState(this.pc.connectionState);
    }

    close() {
        clearTimeout(this.#settleTimer);
        clearInterval(this.#lookTimer);
        clearTimeout(this.#restartTimer);
        clearTimeout(this.#repairTimer);
        this.pc.onconnectionstatechange = null;
        this.pc.close();
    }

    /** The receiver of the m-line `mid`, if there is one. */
    receiver(mid) {
        return mid ? this.pc.getTransceivers().find((t) => t.mid === mid)?.receiver : undefined;
    }

    // --- what is published -------------------------------------------------------------------

    /** Add a track to the next offer. @returns what is known of it */
    add(track, stream, source) {
        const idle = this.pc.getTransceivers().find((t) => t.direction === 'inactive' &&
            t.currentDirection === 'inactive' && t.sender && t.receiver.track.kind === track.kind);
        if (idle) {
            idle.direction = 'sendonly';
            idle.sender.replaceTrack(track);
        }
        const sendEncodings = track.kind === 'video' ? encodingsFor(track, source) : undefined;
        const transceiver = idle ?? this.pc.addTransceiver(track, { direction: 'sendonly', streams: [stream],
            ...(sendEncodings ? { sendEncodings } : {}) });
        if (track.kind === 'video' && this.#videoCodec)
            preferCodec(transceiver, this.#videoCodec);
        const published = { transceiver, track, stream, id: null, muted: !track.enabled, want: null, obeying: Promise.resolve(),
            maxBps: 0, answeredBps: 0, rates: sendEncodings?.map(({ rid, maxBitrate }) => ({ rid, maxBitrate })) };
        this.published.set(source, published);
        return published;
    }

    /** Publish what `other`, which this one takes the place of, published. */
    takeOver(other) {
        for (const [source, { track, stream, muted, transceiver }] of other.published) {
            const sent = transceiver.sender.track;
            const published = this.add(sent ?? track, stream, source);
            published.muted = muted;
            if (!sent)
                published.transceiver.sender.replaceTrack(null);
        }
    }

    /** Tracks of our own, as the server tells them. */
    learn(tracks = []) {
        for (const track of tracks) {
            const published = this.published.get(track.source);
            if (published)
                Object.assign(published, { id: track.id, maxBps: track.max_bps ?? 0, answeredBps: track.max_bps ?? 0 });
        }
    }

    /** Send only what somebody needs. */
    want({ track, layers, max_fps: maxFps = 0 }) {
        const published = this.#find(track);
        if (!published)
            return;
        published.want = { layers, maxFps };
        this.#obey(published);
    }

    /** Send no more than the server takes. What the last answer said holds, too: more needs a new one. */
    limit({ track, max_bps: maxBps }) {
        const published = this.#find(track);
        if (!published)
            return;
        published.maxBps = maxBps;
        if (published.answeredBps && (!maxBps || maxBps > published.answeredBps))
            this.renegotiate().catch((error) => console.warn('sluice: re-offer failed:', error));
        else
            this.#obey(published);
    }

    #find(trackId) {
        return [...this.published.values()].find(({ id }) => id === trackId);
    }

    /** From now on the browser knows its uplink: stop what nobody needs. */
    #settle() {
        this.#settled = true;
        this.#obeyAll();
    }

    #obeyAll() {
        for (const published of this.published.values())
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

    // --- offers ------------------------------------------------------------------------------

    /** Have at least as many slots as the server asked for, from the next offer on. */
    growSlots({ audio = 0, video = 0 } = {}) {
        this.#wanted = { audio: Math.max(audio, this.#wanted.audio), video: Math.max(video, this.#wanted.video) };
        for (const kind of ['audio', 'video']) {
            const has = this.pc.getTransceivers().filter(
                (t) => t.direction === 'recvonly' && t.receiver.track.kind === kind).length;
            for (let i = has; i < this.#wanted[kind]; i++)
                this.pc.addTransceiver(kind, { direction: 'recvonly' });
        }
    }

    #configuration(iceServers = []) {
        return { bundlePolicy: 'max-bundle', iceTransportPolicy: this.#relayOnly ? 'relay' : 'all', iceServers };
    }

    /** Use these STUN and TURN servers from the next gathering on, that of setLocalDescription or an ICE restart. */
    useServers(iceServers = []) {
        try {
            this.pc.setConfiguration(this.#configuration(iceServers));
        } catch (error) {
            console.warn('sluice: the browser takes no ICE servers of the server:', error.message);
        }
    }

    /**
     * The first offer. `request(fields)` sends it and resolves with `joined`. The server needs none of our candidates, so
     * that gathering, which begins with setLocalDescription, can wait for the TURN servers that it tells of.
     */
    join(request) {
        this.#negotiation = this.#join(request); // other offers wait for it
        return this.#negotiation;
    }

    async #join(request) {
        const offer = await this.pc.createOffer();
        const mids = [...offer.sdp.matchAll(/^a=mid:(\S+)/gm)].map(([, mid]) => mid);
        const midOf = new Map(this.pc.getTransceivers().map((transceiver, i) => [transceiver, mids[i]]));
        this.#offers = 1;
        const joined = await request({ offer: offer.sdp, tracks: this.#describe((transceiver) => midOf.get(transceiver)) });
        this.useServers(joined.ice_servers);
        await this.pc.setLocalDescription(offer);
        await this.#apply(joined.answer);
        if (!/^a=ice-lite/m.test(joined.answer))
            this.#tellCandidates();
    }

    /** A server behind a NAT has to find us, too: once we know where we are, another offer tells it. */
    #tellCandidates() {
        const tell = () => {
            if (this.pc.iceGatheringState !== 'complete')
                return;
            this.pc.removeEventListener('icegatheringstatechange', tell);
            this.renegotiate().catch((error) => console.warn('sluice: re-offer failed:', error));
        };
        this.pc.addEventListener('icegatheringstatechange', tell);
        tell();
    }

    /** One offer at a time, in order. */
    renegotiate() {
        this.#negotiation = this.#negotiation.catch(() => {}).then(async () => {
            await this.pc.setLocalDescription(await this.pc.createOffer());
            const answer = await this.#handler.request('offer', { n: ++this.#offers,
                sdp: this.pc.localDescription.sdp, tracks: this.#describe() });
            await this.#apply(answer.sdp);
        });
        return this.#negotiation;
    }

    async #apply(sdp) {
        await this.pc.setRemoteDescription({ type: 'answer', sdp });
        this.#obeyAll(); // an answer makes all encodings active
        this.#handler.onAnswered();
    }

    #describe(midOf = ({ mid }) => mid) {
        return [...this.published].map(([source, { transceiver, muted }]) => ({
            mid: midOf(transceiver), kind: transceiver.receiver.track.kind, source, muted }));
    }

    // --- what the network does ---------------------------------------------------------------

    /** Browsers take five seconds to say that nothing comes. */
    #look() {
        const now = performance.timeOrigin + performance.now();
        const newest = Math.max(0, ...this.pc.getReceivers().map(
            (receiver) => receiver.getSynchronizationSources()[0]?.timestamp ?? 0));
        const flows = now - newest < SILENT_MS;
        if (this.#flows && !flows)
            this.#handler.onSilence();
        this.#flows = flows;
    }

    /** The server was lost. If media is, too, look for another path as soon as it is back. */
    doubt() {
        if (!this.#flows)
            this.restart();
    }

    /** The network may have changed: look for another path, while the one there is goes on. */
    restart() {
        if (!this.#wasConnected || this.#restartTimer)
            return;
        this.#restartTimer = setTimeout(() => {
            this.#restartTimer = 0;
            if (this.pc.connectionState !== 'connected')
                this.restart();
        }, RESTART_MS);
        this.pc.restartIce();
        this.renegotiate().catch((error) => console.debug('sluice: no ICE restart:', error.message));
    }

    #onState(state) {
        if (state === 'connected') {
            this.#wasConnected = true;
            this.#lookTimer ||= setInterval(() => this.#look(), LOOK_MS);
            this.#settleTimer ||= setTimeout(() => this.#settle(), SETTLE_MS);
            clearTimeout(this.#repairTimer);
            this.#repairTimer = 0;
        } else if (this.#wasConnected && (state === 'disconnected' || state === 'failed')) {
            this.#repairTimer ||= setTimeout(() => this.#handler.onState('failed'), REPAIR_MS);
            this.restart();
            state = 'disconnected';
        }
        this.#handler.onState(state);
    }
}
