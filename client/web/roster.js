/** Who is in the room with which tracks, and which slot carries which of them. */

export class Roster {
    #slots = new Map();  // mid -> {track, participant} as the server last said
    #bound = new Map();  // track id -> mid
    #direct = new Map(); // track id -> RTCRtpReceiver, of what comes from another client
    #held = new Set();   // participants whose tracks from the server the page is not told of
    #handler;

    /**
     * @param {object} handler
     * @param {function} handler.emit      tell the page: (type, detail), as sluice.js has its events
     * @param {function} handler.onGone    a track is gone: (trackId) => {}
     * @param {function} handler.receiver  the RTCRtpReceiver of a mid, or undefined
     */
    constructor(handler) {
        this.#handler = handler;
        this.participants = new Map(); // id -> {id, name, tracks: Map(id -> track)}
    }

    /** @returns {{participant, track}} both undefined if nobody has that track */
    find(trackId) {
        for (const participant of this.participants.values()) {
            const track = participant.tracks.get(trackId);
            if (track)
                return { participant, track };
        }
        return {};
    }

    /** Everybody leaves: what comes next is another session's. */
    clear() {
        for (const participant of [...this.participants.values()])
            this.#remove(participant, { code: 'rejoined', message: 'we came anew' });
        this.#slots.clear();
        this.#bound.clear();
    }

    /** These are in the room now: tell the page of what has changed only. */
    replace(participants) {
        const there = new Map(participants.map((participant) => [participant.id, participant]));
        for (const known of [...this.participants.values()])
            if (!there.has(known.id))
                this.#remove(known, { code: 'left', message: 'left the room' });
        for (const participant of participants) {
            const known = this.participants.get(participant.id);
            if (known)
                this.#replaceTracks(known, participant.tracks ?? []);
            else
                this.add(participant);
        }
    }

    add({ id, name, tracks = [] }) {
        const participant = { id, name, tracks: new Map() };
        this.participants.set(id, participant);
        this.#handler.emit('participant', { participant, change: 'join' });
        for (const track of tracks)
            this.#addTrack({ ...track, participant: id });
    }

    onParticipant({ change, participant, code, message }) {
        if (change === 'join') {
            this.add(participant);
            return;
        }
        const known = this.participants.get(participant.id);
        if (!known)
            return;
        if (change === 'update') {
            known.name = participant.name ?? known.name;
            this.#handler.emit('participant', { participant: known, change });
            return;
        }
        this.#remove(known, { code, message });
    }

    onTrack({ change, track }) {
        const known = this.participants.get(track.participant)?.tracks.get(track.id);
        if (change === 'leave') {
            if (known)
                this.#removeTrack(known);
        } else if (known) {
            const wasMuted = known.muted;
            Object.assign(known, track);
            this.#handler.emit('update', { track: known });
            if (wasMuted && !known.muted)
                this.#announce(known.id); // the page may have been told of it while there was nothing to see
        } else {
            this.#addTrack(track);
        }
    }

    onSlots(slots) {
        for (const slot of slots) {
            const before = this.#slots.get(slot.mid)?.track;
            if (before === slot.track)
                continue; // told again after a resume: what is shown goes on
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

    onStream(streams) {
        for (const { track: id, state, reason } of streams) {
            const { track, participant } = this.find(id);
            if (!track)
                continue;
            track.paused = state === 'paused' ? reason : null;
            this.#handler.emit('stream', { track, participant });
        }
    }

    /** A track comes from the participant itself, not over the server. */
    addDirect(track, receiver) {
        this.#direct.set(track.id, receiver);
        this.#addTrack(track);
    }

    /** Nothing comes from the participant itself any more. */
    dropDirect(participantId) {
        for (const track of [...this.participants.get(participantId)?.tracks.values() ?? []])
            if (track.direct)
                this.#removeTrack(track);
    }

    /** Do not show the tracks of a participant that come over the server, until release(). */
    hold(participantId) {
        this.#held.add(participantId);
        for (const track of this.participants.get(participantId)?.tracks.values() ?? [])
            if (!track.direct && this.#bound.has(track.id))
                this.#handler.emit('track', { track, participant: this.participants.get(participantId), media: null });
    }

    release(participantId) {
        this.#held.delete(participantId);
        for (const { id } of this.participants.get(participantId)?.tracks.values() ?? [])
            this.#announce(id);
    }

    /** The receiver of a track that comes over the server, if it is there. */
    receiverOf(trackId) {
        return this.#handler.receiver(this.#bound.get(trackId));
    }

    /** Receivers may have come for slots that are bound already. */
    announceAll() {
        for (const trackId of this.#bound.keys())
            this.#announce(trackId);
    }

    #remove(participant, { code, message }) {
        for (const track of [...participant.tracks.values()])
            this.#removeTrack(track);
        this.participants.delete(participant.id);
        this.#handler.emit('participant', { participant, change: 'leave', code, message });
    }

    #replaceTracks(participant, tracks) {
        const there = new Set(tracks.map(({ id }) => id));
        for (const track of [...participant.tracks.values()])
            if (!there.has(track.id) && !track.direct)
                this.#removeTrack(track);
        for (const track of participant.tracks.values())
            if (track.paused) // told again, if it still is
                this.onStream([{ track: track.id, state: 'active' }]);
        for (const track of tracks)
            this.onTrack({ change: 'update', track: { ...track, participant: participant.id } });
    }

    #addTrack(track) {
        const participant = this.participants.get(track.participant);
        if (!participant)
            return;
        participant.tracks.set(track.id, track);
        this.#handler.emit('update', { track });
        if (this.#bound.has(track.id) || track.direct)
            this.#announce(track.id);
    }

    #removeTrack(track) {
        const participant = this.participants.get(track.participant);
        participant?.tracks.delete(track.id);
        this.#direct.delete(track.id);
        this.#handler.onGone(track.id);
        this.#handler.emit('track', { track, participant, media: null });
    }

    /** Tell the page what carries a track now, if both the roster and the slots know it. */
    #announce(trackId) {
        const { participant, track } = this.find(trackId);
        if (!track || (!track.direct && this.#held.has(participant.id)))
            return;
        const receiver = track.direct ? this.#direct.get(trackId) : this.receiverOf(trackId);
        this.#handler.emit('track', { track, participant, media: receiver?.track ?? null, receiver: receiver ?? null });
    }
}
