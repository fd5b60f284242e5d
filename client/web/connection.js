/**
 * The WebSocket of a call: requests and their replies, events, and pings that keep it open and tell when it is dead. When it
 * is lost, it comes back by itself (docs/PROTOCOL.md, "When the connection is lost"): requests that were not answered are
 * repeated, and what the server said meanwhile is told again.
 */

const OPEN_TIMEOUT_MS = 15000;
const RETRY_TIMEOUT_MS = 5000;
const REQUEST_TIMEOUT_MS = 15000;
const PING_MS = 15000;
const PONG_MS = 5000;
const PROBE_MS = 800;      // the same, when there is reason to doubt
const PAUSE_MIN_MS = 250;  // the longest pause before the second try; doubled with each
const PAUSE_MAX_MS = 4000;
const CODE_DEAD = 4000;    // we close it and mean to come back

/** An error with the server's stable code. */
export class CallError extends Error {
    constructor(code, message, retryAfterMs = 0) {
        super(message);
        this.name = 'CallError';
        this.code = code;
        this.retryAfterMs = retryAfterMs;
    }
}

/** ws:// or wss:// address of a server, of whose page, perhaps, `address` is. */
export function socketUrl(address) {
    const url = new URL(address);
    url.protocol = url.protocol.replace('http', 'ws');
    if (url.pathname === '/')
        url.pathname = '/ws';
    return url.href;
}

/** That of the server that served this page. */
export function defaultUrl() {
    return socketUrl(new URL('/', location.href));
}

/** How long to wait before the n-th try to come back, from 0: nothing at first, then random, so that not all come at once. */
export function pauseMs(n) {
    return n === 0 ? 0 : Math.random() * Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** n);
}

/** Wait; less if the browser says meanwhile that the network is back. */
export function pause(ms) {
    return new Promise((resolve) => {
        const done = () => { clearTimeout(timer); removeEventListener('online', done); resolve(); };
        const timer = setTimeout(done, ms);
        addEventListener('online', done);
    });
}

export class Connection {
    #socket = null;
    #requests = new Map(); // id -> {resolve, reject, timer, type, text}
    #nextId = 1;
    #pingTimer = 0;
    #pongTimer = 0;
    #session = null;       // of joined: {id, token, resume_s}
    #seq = 0;              // of the last event
    #life = 0;             // grows with open() and close(): what was begun before is of no interest
    #returning = false;    // lost, and on its way back
    #handler;

    /**
     * @param {string} url  may be changed while it is closed
     * @param {number} giveUpMs  try for so long to come back
     * @param {object} handler
     * @param {function} handler.onMessage  each message of the server, replies included
     * @param {function} handler.onLost     it is on its way back
     * @param {function} handler.onResumed  it is back: (message) => {}; missed events follow, or it has the whole state
     * @param {function} handler.onGone     it was open, and does not come back: (unreachable) => {}: there is no server, or (false)
     *                                      the server knows us no more. Not after close()
     */
    constructor(url, giveUpMs, handler) {
        this.url = url;
        this.giveUpMs = giveUpMs;
        this.#handler = handler;
    }

    get isOpen() {
        return this.#socket?.readyState === WebSocket.OPEN;
    }

    /** Resolves once it is open, as new. */
    async open(timeoutMs = OPEN_TIMEOUT_MS) {
        this.close();
        const life = this.#life;
        const socket = await this.#dial(timeoutMs);
        if (life !== this.#life) {
            socket.close();
            throw new CallError('disconnected', 'The call has ended.');
        }
        this.#use(socket);
    }

    /** Send a request, now or when the connection is back. Resolves with the reply; rejects with a CallError. */
    request(type, fields = {}) {
        return new Promise((resolve, reject) => {
            if (!this.isOpen && !this.#returning) {
                reject(new CallError('disconnected', 'The connection to the server is closed.'));
                return;
            }
            const id = this.#nextId++;
            this.#requests.set(id, { resolve, reject, type, timer: 0, text: JSON.stringify({ t: type, id, ...fields }) });
            if (this.isOpen && !this.#returning)
                this.#send(id);
        });
    }

    /** Is it still alive? Otherwise it is on its way back within a second. */
    probe() {
        if (this.isOpen && !this.#returning)
            this.#ping(PROBE_MS);
    }

    close() {
        this.#life++;
        this.#returning = false;
        this.#session = null;
        this.#seq = 0;
        this.#dropSocket(1000);
        this.#rejectAll();
    }

    /** @returns {Promise<WebSocket>} once it is open */
    #dial(timeoutMs) {
        return new Promise((resolve, reject) => {
            const host = new URL(this.url).host;
            const socket = new WebSocket(this.url);
            const timer = setTimeout(() => socket.close(), timeoutMs);
            socket.onopen = () => { clearTimeout(timer); resolve(socket); };
            socket.onclose = () => {
                clearTimeout(timer);
                reject(new CallError('unreachable',
                    `The server at ${host} does not answer. Is it running, and is the address right?`));
            };
        });
    }

    #use(socket) {
        this.#socket = socket;
        socket.onmessage = (event) => this.#onMessage(JSON.parse(event.data));
        socket.onclose = () => this.#onLost();
        this.#pingTimer = setInterval(() => this.#ping(PONG_MS), PING_MS);
    }

    #dropSocket(code) {
        const socket = this.#socket;
        clearInterval(this.#pingTimer);
        clearTimeout(this.#pongTimer);
        this.#pongTimer = 0;
        this.#socket = null;
        if (!socket)
            return;
        socket.onmessage = socket.onclose = null;
        socket.close(code);
    }

    #send(id) {
        const request = this.#requests.get(id);
        clearTimeout(request.timer);
        request.timer = setTimeout(() => {
            this.#requests.delete(id);
            request.reject(new CallError('timeout', `The server did not answer "${request.type}" in time.`));
        }, REQUEST_TIMEOUT_MS);
        this.#socket.send(request.text);
    }

    /** Anything that comes within `patienceMs` is a sign of life. */
    #ping(patienceMs) {
        this.#socket.send('{"t":"ping"}');
        clearTimeout(this.#pongTimer);
        this.#pongTimer = setTimeout(() => this.#onLost(), patienceMs);
    }

    #rejectAll() {
        for (const { reject, timer } of this.#requests.values()) {
            clearTimeout(timer);
            reject(new CallError('disconnected', 'The connection to the server was lost.'));
        }
        this.#requests.clear();
    }

    #onMessage(message) {
        clearTimeout(this.#pongTimer);
        if (message.t === 'joined')
            this.#session = message.session ?? null;
        this.#seq = message.seq ?? this.#seq;
        const request = this.#requests.get(message.re);
        if (request) {
            this.#requests.delete(message.re);
            clearTimeout(request.timer);
            if (message.t === 'error')
                request.reject(new CallError(message.code, message.message, message.retry_after_ms));
            else
                request.resolve(message);
        }
        this.#handler.onMessage(message);
    }

    // --- coming back -------------------------------------------------------------------------

    #onLost() {
        this.#dropSocket(CODE_DEAD);
        for (const request of this.#requests.values())
            clearTimeout(request.timer);
        if (!this.#session) {
            this.#gone(false);
            return;
        }
        this.#returning = true;
        this.#handler.onLost();
        this.#comeBack();
    }

    #gone(unreachable) {
        this.close();
        this.#handler.onGone(unreachable);
    }

    async #comeBack() {
        const life = this.#life;
        const since = performance.now();
        for (let n = 0; ; n++) {
            await pause(pauseMs(n));
            const outcome = life === this.#life ? await this.#resume(life).catch(() => 'failed') : 'over';
            if (outcome === 'resumed' || life !== this.#life)
                return;
            if (outcome === 'refused' || performance.now() - since > this.giveUpMs) {
                this.#gone(outcome !== 'refused');
                return;
            }
        }
    }

    /** @returns {Promise<string>} 'resumed' or 'refused'; rejects if there was no answer */
    async #resume(life) {
        const socket = await this.#dial(RETRY_TIMEOUT_MS);
        return new Promise((resolve, reject) => {
            const timer = setTimeout(() => socket.close(CODE_DEAD), RETRY_TIMEOUT_MS);
            socket.onclose = () => { clearTimeout(timer); reject(new Error('no answer')); };
            socket.onmessage = (event) => {
                const message = JSON.parse(event.data);
                clearTimeout(timer);
                if (message.t === 'resumed' && life === this.#life) {
                    this.#onResumed(socket, message);
                    resolve('resumed');
                } else {
                    socket.onclose = null;
                    socket.close(CODE_DEAD);
                    resolve('refused');
                }
            };
            socket.send(JSON.stringify({ t: 'resume', id: this.#nextId++, session: this.#session.id,
                token: this.#session.token, seq: this.#seq }));
        });
    }

    #onResumed(socket, message) {
        this.#returning = false;
        this.#use(socket);
        if (!message.replayed)
            this.#seq = message.seq;
        this.#handler.onResumed(message);
        for (const id of this.#requests.keys())
            this.#send(id);
    }
}
