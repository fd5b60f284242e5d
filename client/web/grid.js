/** Tiles of a call: who, with picture or initials, muted, speaking; and the sound of everybody. */

const ASPECT = 16 / 9;
const GAP = 10;

export class Grid {
    #element;
    #template;
    #tiles = new Map();  // key -> element
    #audio = new Map();  // track id -> {element, receiver, participant}

    constructor(element, template) {
        this.#element = element;
        this.#template = template;
        new ResizeObserver(() => this.#layout()).observe(element);
        setInterval(() => this.#showSpeakers(), 150);
    }

    /** Change a tile; `create` makes it when missing. Fields left out stay as they are. */
    update(key, { name, muted, video, screen, own = key === 'you' }, create = true) {
        let tile = this.#tiles.get(key);
        if (!tile && !create)
            return;
        tile ??= this.#make(key);
        tile.classList.toggle('own', own);
        if (screen !== undefined)
            tile.classList.toggle('screen', screen);
        if (name !== undefined)
            this.#setName(tile, name);
        if (muted !== undefined)
            tile.classList.toggle('muted', muted);
        if (video !== undefined)
            this.#setVideo(tile, video);
    }

    remove(key) {
        this.#tiles.get(key)?.remove();
        this.#tiles.delete(key);
        for (const [id, audio] of this.#audio)
            if (audio.participant === key)
                this.setAudio(id, null);
        this.#layout();
    }

    clear() {
        for (const key of [...this.#tiles.keys()])
            this.remove(key);
        for (const id of [...this.#audio.keys()])
            this.setAudio(id, null);
    }

    /** Play a track's sound; null stops it. */
    setAudio(trackId, media, receiver = null, participant = null) {
        this.#audio.get(trackId)?.element.remove();
        this.#audio.delete(trackId);
        if (!media)
            return;
        const element = document.createElement('audio');
        element.autoplay = true;
        element.srcObject = new MediaStream([media]);
        document.body.append(element);
        element.play().catch(() => addEventListener('pointerdown', () => element.play(), { once: true }));
        this.#audio.set(trackId, { element, receiver, participant });
    }

    setSpeaking(key, speaking) {
        this.#tiles.get(key)?.classList.toggle('speaking', speaking);
    }

    setVideoMuted(key, muted) {
        const tile = this.#tiles.get(key);
        tile?.classList.toggle('has-video', !muted && Boolean(tile.querySelector('video').srcObject));
    }

    #make(key) {
        const tile = this.#template.content.firstElementChild.cloneNode(true);
        tile.dataset.key = key;
        this.#tiles.set(key, tile);
        if (key === 'you')
            this.#element.prepend(tile);
        else
            this.#element.append(tile);
        this.#layout();
        return tile;
    }

    #setName(tile, name) {
        tile.querySelector('.tile-name').textContent = name;
        const words = name.replace(/\(.*\)/, '').trim().split(/\s+/).slice(0, 2);
        tile.querySelector('.avatar').textContent = words.map((word) => word[0] ?? '').join('').toUpperCase();
        let hue = 0;
        for (const letter of name)
            hue = (hue * 31 + letter.codePointAt(0)) % 360;
        tile.style.setProperty('--hue', hue);
    }

    #setVideo(tile, media) {
        const video = tile.querySelector('video');
        tile.classList.toggle('has-video', Boolean(media));
        if (media && video.srcObject?.getVideoTracks()[0] !== media) {
            video.srcObject = new MediaStream([media]);
            video.play().catch(() => {});
        } else if (!media) {
            video.srcObject = null;
        }
    }

    #showSpeakers() {
        for (const { receiver, participant } of this.#audio.values()) {
            const [source] = receiver?.getSynchronizationSources() ?? [];
            const fresh = source && performance.timeOrigin + performance.now() - source.timestamp < 500;
            this.setSpeaking(participant, Boolean(fresh) && (source.audioLevel ?? 0) > 0.02);
        }
    }

    /** The number of columns that gives tiles the largest area in the space there is. On a phone
     *  held upright tiles may be up to 4:3 upright, so that two columns fill the screen. */
    #layout() {
        const n = this.#tiles.size;
        const { clientWidth: width, clientHeight: height } = this.#element;
        if (!n || !width)
            return;
        const tallest = width < height ? 4 / 3 : 1 / ASPECT;
        let best = { area: -1 };
        for (let columns = 1; columns <= n; columns++) {
            const rows = Math.ceil(n / columns);
            const room = (height - GAP * (rows - 1)) / rows;
            const tileWidth = Math.min((width - GAP * (columns - 1)) / columns, room * ASPECT);
            const tileHeight = Math.min(room, tileWidth * tallest);
            if (tileWidth * tileHeight > best.area)
                best = { area: tileWidth * tileHeight, tileWidth, tileHeight };
        }
        this.#element.style.setProperty('--tile-width', `${Math.floor(best.tileWidth)}px`);
        this.#element.style.setProperty('--tile-height', `${Math.floor(best.tileHeight)}px`);
    }
}
