/** What the page shows of direct calls: who calls, a ring tone, what comes of it; and the button that starts one. */

const ENDED_WORDS = { ended: 'The call has ended.', rejected: 'does not want to talk now.', busy: 'is busy.',
    cancelled: 'has given up calling.', timeout: 'does not answer.', left: 'has left.',
    failed: 'No direct connection could be made.' };
const SHOW_ENDED_MS = 4000;

/** Two tones, on and off, until stop(). */
class Ring {
    #context = null;
    #timer = 0;

    start(incoming) {
        this.stop();
        const context = this.#context = new AudioContext();
        const ring = () => {
            const gain = new GainNode(context, { gain: incoming ? 0.08 : 0.03 });
            gain.connect(context.destination);
            for (const frequency of incoming ? [587, 740] : [425]) {
                const tone = new OscillatorNode(context, { frequency });
                tone.connect(gain);
                tone.start();
                tone.stop(context.currentTime + 1);
            }
        };
        ring();
        this.#timer = setInterval(ring, incoming ? 2000 : 4000);
    }

    stop() {
        clearInterval(this.#timer);
        this.#context?.close();
        this.#context = null;
    }
}

export class Calling {
    #element;
    #ring = new Ring();
    #onActive;
    #timer = 0;

    /**
     * @param {HTMLElement} element  has a paragraph and two buttons, .yes and .no
     * @param {function} onActive    somebody talks to us alone, or nobody does: (participantId or null) => {}
     */
    constructor(element, onActive) {
        this.#element = element;
        this.#onActive = onActive;
    }

    /** Follow a new Call. */
    attach(call) {
        this.#show(null);
        call.addEventListener('incoming', ({ detail }) => this.#onIncoming(detail.call));
        call.addEventListener('ringing', ({ detail }) => this.#onRinging(detail.call));
        call.addEventListener('accepted', ({ detail }) => this.#onAccepted(detail.call));
        call.addEventListener('ended', ({ detail }) => this.#onEnded(detail));
    }

    /** Call somebody. */
    async start(call, participantId) {
        const name = call.participants.get(participantId)?.name || 'Guest';
        try {
            const made = await call.call(participantId);
            if (made.state === 'calling')
                this.#show(`Calling ${name}…`, null, ['Cancel', () => made.hangUp()]);
        } catch (error) {
            this.#say(error.code === 'participant_busy' ? `${name} is in another call.` : error.message);
        }
    }

    #onIncoming(call) {
        this.#ring.start(true);
        this.#show(`${call.name || 'Somebody'} calls you${call.video ? '' : ' (sound only)'}.`,
            ['Accept', () => call.accept()], ['Decline', () => call.reject()]);
    }

    #onRinging(call) {
        this.#ring.start(false);
        this.#show(`It rings at ${call.name || 'Guest'}…`, null, ['Cancel', () => call.hangUp()]);
    }

    #onAccepted(call) {
        this.#ring.stop();
        this.#show(`You talk to ${call.name || 'Guest'} alone; the others do not hear you.`, null,
            ['End', () => call.hangUp()]);
        this.#onActive(call.peer);
    }

    #onEnded({ call, code, message }) {
        this.#ring.stop();
        this.#onActive(null);
        const words = ENDED_WORDS[code] ?? code;
        this.#say((/^[A-Z]/.test(words) ? words : `${call.name || 'Guest'} ${words}`) + (message ? ` (${message})` : ''));
    }

    #say(text) {
        this.#show(text, null, ['Close', () => this.#show(null)]);
        this.#timer = setTimeout(() => this.#show(null), SHOW_ENDED_MS);
    }

    #show(text, yes = null, no = null) {
        clearTimeout(this.#timer);
        this.#element.hidden = !text;
        this.#element.querySelector('p').textContent = text ?? '';
        this.#button('.yes', yes);
        this.#button('.no', no);
        if (!text)
            this.#ring.stop();
    }

    #button(selector, choice) {
        const button = this.#element.querySelector(selector);
        button.hidden = !choice;
        if (!choice)
            return;
        const [label, act] = choice;
        button.textContent = label;
        button.onclick = () => Promise.resolve(act()).catch((error) => this.#say(error.message));
    }
}
