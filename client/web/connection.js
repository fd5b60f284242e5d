/** The WebSocket of a call: requests and their replies, events, and pings that keep it open. */

const REQUEST_TIMEOUT_MS = 15000;
const PING_MS = 15000;

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

export class Connection {
    #socket = null;
    #requests = new Map(); // id -> {resolve, reject, timer}
    #nextId = 1;
    #pingTimer = 0;
    #handler;

    /**
     * @param {string} url
     * @param {object} handler
     * @param {function} handler.onMessage  each message of the server, replies included
     * @param {function} handler.onClose    it was open, and is lost; not after close()
     */
    constructor(url, handler) {
        this.url = url;
        this.#handler = handler;
    }

    get isOpen() {
        return this.#socket?.readyState === WebSocket.OPEN;
    }

    /** Resolves once it is open. */
    open() {
        return new Promise((resolve, reject) => {
            const host = new URL(this.url).host;
            const socket = new WebSocket(this.url);
            const timer = setTimeout(() => socket.close(), REQUEST_TIMEOUT_MS);
            socket.onopen = () => {
                clearTimeout(timer);
                this.#socket = socket;
                this.#pingTimer = setInterval(() => this.request('ping').catch(() => {}), PING_MS);
                resolve();
            };
            socket.onmessage = (event) => this.#onMessage(event.data);
            socket.onclose = () => {
                clearTimeout(timer);
                reject(new CallError('unreachable',
                    `The server at ${host} does not answer. Is it running, and is the address right?`));
                if (this.#socket === socket)
                    this.#onClosed();
            };
        });
    }

    /** Send a request. Resolves with the reply; rejects with a CallError. */
    request(type, fields = {}) {
        return new Promise((resolve, reject) => {
            if (!this.isOpen) {
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

    close() {
        const socket = this.#socket;
        this.#drop();
        socket?.close();
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
        this.#handler.onMessage(message);
    }

    #onClosed() {
        this.#drop();
        this.#handler.onClose();
    }

    #drop() {
        this.#socket = null;
        clearInterval(this.#pingTimer);
        for (const { reject, timer } of this.#requests.values()) {
            clearTimeout(timer);
            reject(new CallError('disconnected', 'The call has ended.'));
        }
        this.#requests.clear();
    }
}
