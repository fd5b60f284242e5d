/**
 * Direct calls: two clients talk peer to peer. Either one called the other (DirectCall), or both are in a room of mode
 * 'direct', which a third who joins moves to the server. Part of sluice.js, which passes on what the server says of it.
 */
import { DirectLink } from '/client/direct_link.js';

const FLOW_MS = 100;        // how often it is looked whether the server's media have come
const MOVE_MS = 10000;      // after which they are taken to come no more
const LINGER_MS = 3000;     // for which the other one may still need what we send it

/** One call, incoming or outgoing. Its state is 'calling', 'ringing', 'incoming', 'active' or 'ended'. */
export class DirectCall {
    #request;

    constructor(request, { id, peer, name, video, state }) {
        this.#request = request;
        Object.assign(this, { id, peer, name, video, state });
    }

    /** Take an incoming call. */
    accept() {
        return this.#request('accept', { call: this.id });
    }

    /** Refuse an incoming call. @param {string} [reason] 'rejected' or 'busy' @param {string} [message] for people */
    reject(reason = 'rejected', message = '') {
        return this.#request('reject', { call: this.id, reason, message });
    }

    /** End it, whatever its state. @param {string} [reason] 'ended' or 'failed' */
    hangUp(reason = 'ended') {
        return this.#request('end', { call: this.id, reason });
    }
}

export class Direct {
    #handler;
    #link = null;
    #peer = null;        // id of the other one
    #call = null;
    #mode = 'sfu';
    #role = null;
    #moving = null;      // a promise: to the server

    /**
     * @param {object} handler
     * @param {function} handler.request   send a request to the server: (type, fields) => promise of the reply
     * @param {function} handler.emit      tell the page: (type, detail)
     * @param {Roster} handler.roster
     * @param {function} handler.settings  () => {sources: Map, iceServers, relayOnly}
     * @param {function} handler.onState   the state of a direct room: (state) => {}
     * @param {function} handler.onCalling whether a call beside the room's media goes on: (on) => {}
     * @param {function} handler.toServer  get media from the server: () => promise
     */
    constructor(handler) {
        this.#handler = handler;
    }

    /** The call that rings or goes on, or null. */
    get call() {
        return this.#call;
    }

    /** The peer connection of a direct call, or null. */
    get peerConnection() {
        return this.#link?.pc ?? null;
    }

    /** Whether the room is a direct one. */
    get isRoom() {
        return this.#mode === 'direct';
    }

    close() {
        this.#closeLink();
        this.#call = null;
        this.#mode = 'sfu';
    }

    // --- what the page asks ------------------------------------------------------------------

    /** Call a participant. Resolves with the DirectCall once the server has taken it. */
    async make(peer, video) {
        const { call: id } = await this.#handler.request('call', { to: peer, media: video ? 'video' : 'audio' });
        if (this.#call?.id === id) // both called at the same time, and `accepted` was faster
            return this.#call;
        this.#call = this.#newCall({ id, peer, video, state: 'calling' });
        return this.#call;
    }

    mute(source, muted) {
        this.#link?.mute(source, muted);
    }

    async replaceTrack(source, track) {
        await this.#link?.replaceTrack(source, track);
    }

    /** Have the room's media go over the server. */
    toServer() {
        this.#mode = 'sfu';
        this.#moving ??= this.#move();
        return this.#moving;
    }

    // --- what the server says ----------------------------------------------------------------

    joined({ mode = 'sfu', role = null, participants }) {
        this.close();
        this.#moving = null;
        this.#mode = mode;
        this.#role = role;
        if (this.isRoom && participants.length)
            this.#meet(participants[0].id);
    }

    /** The session goes on, but what was told meanwhile is lost: this is how it is now. */
    resumed({ mode = 'sfu', role = null, participants }) {
        if (this.#peer && !participants.some(({ id }) => id === this.#peer) && !this.#call)
            this.#part();
        this.#onRoom({ mode, role });
        if (this.isRoom && !this.#link && participants.length)
            this.#meet(participants[0].id);
    }

    onParticipant({ change, participant }) {
        if (change === 'join' && this.isRoom && !this.#link)
            this.#meet(participant.id);
        else if (change === 'leave' && participant.id === this.#peer && !this.#call)
            this.#part();
    }

    /** @returns whether the message was about direct calls */
    onMessage(message) {
        switch (message.t) {
        case 'room': return this.#onRoom(message);
        case 'call': return this.#onCall(message);
        case 'ringing': return this.#onRinging(message);
        case 'accepted': return this.#onAccepted(message);
        case 'ended': return this.#onEnded(message);
        case 'relay': return message.from === this.#peer ? this.#link?.receive(message.data) : undefined;
        default: return undefined;
        }
    }

    #onRoom({ mode, role = null }) {
        this.#role = role;
        if (mode === 'direct')
            this.#mode = mode;
        else if (this.isRoom)
            this.toServer().catch((error) => console.warn('sluice: the move to the server failed:', error));
    }

    #newCall({ id, peer, video, state, name = this.#handler.roster.participants.get(peer)?.name ?? '' }) {
        return new DirectCall((type, fields) => this.#handler.request(type, fields), { id, peer, name, video, state });
    }

    #onCall({ call: id, from, name, media }) {
        this.#call = this.#newCall({ id, peer: from, name, video: media === 'video', state: 'incoming' });
        this.#handler.request('ringing', { call: id }).catch(() => {}); // it may have ended in between
        this.#handler.emit('incoming', { call: this.#call });
    }

    #onRinging({ call: id }) {
        if (this.#call?.id !== id)
            return;
        this.#call.state = 'ringing';
        this.#handler.emit('ringing', { call: this.#call });
    }

    #onAccepted({ call: id, role, peer, media }) {
        if (this.#call?.id !== id)
            this.#call = this.#newCall({ id, peer, video: media === 'video', state: 'active' });
        this.#call.state = 'active';
        this.#handler.onCalling(true);
        this.#handler.roster.hold(peer);
        this.#open(peer, role, this.#call.video);
        this.#handler.emit('accepted', { call: this.#call, role });
    }

    #onEnded({ call: id, code, message = '' }) {
        const call = this.#call;
        if (call?.id !== id)
            return;
        this.#call = null;
        if (call.state === 'active') {
            this.#part();
            this.#handler.roster.release(call.peer);
            this.#handler.onCalling(false);
        }
        call.state = 'ended';
        this.#handler.emit('ended', { call, code, message });
    }

    // --- the link ----------------------------------------------------------------------------

    #meet(peer) {
        this.#handler.onState('connecting');
        this.#open(peer, this.#role, true);
    }

    #open(peer, role, video) {
        const { sources, iceServers, relayOnly } = this.#handler.settings();
        const sent = new Map([...sources].filter(([, track]) => track && (video || track.kind === 'audio')));
        this.#closeLink();
        this.#peer = peer;
        this.#link = new DirectLink({ role, sources: sent, iceServers, relayOnly }, {
            send: (data) => this.#handler.request('relay', { to: peer, data }).catch((error) =>
                console.debug('sluice: not relayed:', error.message)),
            onState: (state) => this.#onLinkState(state),
            onTrack: ({ source, kind, receiver, muted }) => this.#handler.roster.addDirect(
                { id: `direct/${source}`, participant: peer, kind, source, muted, direct: true }, receiver),
            onMute: (source, muted) => this.#handler.roster.onTrack({ change: 'update',
                track: { id: `direct/${source}`, participant: peer, muted } }),
        });
    }

    #onLinkState(state) {
        this.#handler.emit('direct', { state, peer: this.#peer });
        if (this.#call?.state === 'active') {
            if (state === 'failed')
                this.#call.hangUp('failed').catch(() => {});
        } else if (this.isRoom && state === 'failed') {
            this.toServer().catch((error) => console.warn('sluice: the move to the server failed:', error));
        } else if (this.isRoom) {
            this.#handler.onState(state);
        }
    }

    /** The other one is gone. */
    #part() {
        this.#closeLink();
        if (this.isRoom)
            this.#handler.onState('alone');
    }

    #closeLink() {
        this.#link?.close();
        this.#handler.roster.dropDirect(this.#peer);
        this.#link = this.#peer = null;
    }

    // --- to the server -----------------------------------------------------------------------

    /** The direct media stay on the page until the server's have come. */
    async #move() {
        const link = this.#link;
        const peer = this.#peer;
        this.#handler.roster.hold(peer);
        try {
            await this.#handler.toServer();
            for (let waited = 0; waited < MOVE_MS && link === this.#link && !(await this.#flows(peer)); waited += FLOW_MS)
                await new Promise((done) => setTimeout(done, FLOW_MS));
        } finally {
            if (link === this.#link)
                this.#link = this.#peer = null;
            this.#handler.roster.release(peer); // first: so that one picture takes the other's place
            this.#handler.roster.dropDirect(peer);
            setTimeout(() => link?.close(), LINGER_MS);
        }
    }

    /** @returns whether all that comes directly comes from the server, too */
    async #flows(peer) {
        const participant = this.#handler.roster.participants.get(peer);
        const tracks = [...participant?.tracks.values() ?? []];
        for (const direct of tracks.filter((track) => track.direct)) {
            const track = tracks.find(({ source, direct: is }) => source === direct.source && !is);
            if (!track || (!track.muted && !(await hasCome(this.#handler.roster.receiverOf(track.id)))))
                return false;
        }
        return true;
    }
}

/** @returns whether a picture was decoded, or sound has come */
async function hasCome(receiver) {
    const stats = await receiver?.getStats();
    for (const report of stats?.values() ?? [])
        if (report.type === 'inbound-rtp' && (report.kind === 'video' ? report.framesDecoded : report.packetsReceived) > 0)
            return true;
    return false;
}
