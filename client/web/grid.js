/** Tiles of a call: who, with picture or initials, muted, speaking, how well it goes; one of them large if somebody wants
 *  that; and the sound of everybody. */

const ASPECT = 16 / 9;
const GAP = 10;

export class Grid {
    #element;
    #template;
    #tiles = new Map();  // key -> element
    #audio = new Map();  // track id -> {element, receiver, participant}
    #pinned = null;      // key of the large tile
    #told = false;       // the server says who speaks
    #onLayout;
    #onPhone;
    #sizes;
    #alone = null;       // key of the only one to be heard

    /** @param {function} onLayout  called when tiles may have another size, or another one is large
     *  @param {function} onPhone   somebody shall be called: (key) => {} */
    constructor(element, template, onLayout = () => {}, onPhone = () => {}) {
        this.#element = element;
        this.#template = template;
        this.#onLayout = onLayout;
        this.#onPhone = onPhone;
        this.#sizes = new ResizeObserver(() => onLayout());
        new ResizeObserver(() => this.#layout()).observe(element);
        setInterval(() => this.#showSpeakers(), 150);
    }

    /** Key of the large tile, or null. */
    get pinned() {
        return this.#pinned;
    }

    /** Make this tile large, and no other; null: none. */
    pin(key) {
        this.#pinned = this.#tiles.has(key) ? key : null;
        for (const [other, tile] of this.#tiles) {
            tile.classList.toggle('pinned', other === this.#pinned);
            const button = tile.querySelector('.pin');
            button.setAttribute('aria-pressed', other === this.#pinned);
            button.title = other === this.#pinned ? 'Show all alike' : 'Show large';
        }
        this.#layout();
        this.#onLayout();
    }

    /** Size of a tile in device pixels; null: there is none. */
    sizeOf(key) {
        const tile = this.#tiles.get(key);
        return tile ? { width: tile.clientWidth * devicePixelRatio, height: tile.clientHeight * devicePixelRatio } : null;
    }

    /** A sentence over the picture, why it stands still; null: it does not. */
    setWhy(key, sentence) {
        const why = this.#tiles.get(key)?.querySelector('.why');
        if (!why)
            return;
        why.hidden = !sentence;
        why.textContent = sentence ?? '';
    }

    /** How well it goes, 0 to 100. */
    setScore(key, score) {
        const bars = this.#tiles.get(key)?.querySelector('.bars');
        if (!bars)
            return;
        bars.hidden = false;
        bars.dataset.level = score >= 70 ? 'good' : score >= 30 ? 'fair' : 'bad';
        bars.title = `Connection: ${bars.dataset.level}`;
    }

    /** The server says who speaks; from now on nothing is guessed. @param {Set} keys  of the participants */
    setSpeakers(keys) {
        this.#told = true;
        for (const key of this.#tiles.keys())
            if (key !== 'you')
                this.setSpeaking(key, keys.has(key));
    }

    /** Change a tile; `create` makes it when missing. Fields left out stay as they are. */
    update(key, { name, muted, video, screen, smooth = false, own = key === 'you' }, create = true) {
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
            this.#setVideo(tile, video, smooth);
    }

    remove(key) {
        const tile = this.#tiles.get(key);
        if (tile)
            this.#sizes.unobserve(tile);
        tile?.remove();
        this.#tiles.delete(key);
        if (this.#pinned === key)
            this.pin(null);
        for (const [id, audio] of this.#audio)
            if (audio.participant === key)
                this.setAudio(id, null);
        this.#layout();
    }

    clear() {
        this.#told = false;
        for (const key of [...this.#tiles.keys()])
            this.remove(key);
        for (const id of [...this.#audio.keys()])
            this.setAudio(id, null);
    }

    /** Play a track's sound; null stops it. */
    setAudio(trackId, media, receiver = null, participant = null) {
        const known = this.#audio.get(trackId);
        if (media && known?.element.srcObject.getAudioTracks()[0] === media) {
            Object.assign(known, { receiver, participant }); // it plays on
            return;
        }
        known?.element.remove();
        this.#audio.delete(trackId);
        if (!media)
            return;
        const element = document.createElement('audio');
        element.autoplay = true;
        element.muted = this.#alone !== null && participant !== this.#alone;
        element.srcObject = new MediaStream([media]);
        document.body.append(element);
        element.play().catch(() => addEventListener('pointerdown', () => element.play(), { once: true }));
        this.#audio.set(trackId, { element, receiver, participant });
    }

    /** Let nobody be heard but this one; null: all are. */
    hearOnly(key) {
        this.#alone = key;
        for (const { element, participant } of this.#audio.values())
            element.muted = key !== null && participant !== key;
        for (const [other, tile] of this.#tiles)
            tile.classList.toggle('aside', key !== null && other !== key && other !== 'you');
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
        tile.querySelector('.phone').hidden = !/^p-[0-9a-f]{8}$/.test(key);
        tile.querySelector('.phone').onclick = () => this.#onPhone(key);
        tile.querySelector('.pin').onclick = () => this.pin(this.#pinned === key ? null : key);
        tile.ondblclick = () => this.pin(this.#pinned === key ? null : key);
        this.#sizes.observe(tile);
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

    /** @param {boolean} smooth  the picture before stays until the new one has come */
    #setVideo(tile, media, smooth) {
        const video = tile.querySelector('video');
        tile.classList.toggle('has-video', Boolean(media));
        const other = media && video.srcObject?.getVideoTracks()[0] !== media;
        tile.next = null;
        if (other && smooth && video.srcObject) {
            const next = tile.next = video.cloneNode();
            next.muted = true;
            next.srcObject = new MediaStream([media]);
            next.onloadeddata = () => tile.next === next && video.replaceWith(next);
            next.play().catch(() => {});
        } else if (other) {
            video.srcObject = new MediaStream([media]);
            video.play().catch(() => {});
        } else if (!media) {
            video.srcObject = null;
        }
    }

    #showSpeakers() {
        if (this.#told)
            return;
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
        const spotlight = this.#pinned !== null && n > 1;
        this.#element.classList.toggle('spotlight', spotlight);
        if (spotlight) {
            this.#layOutSpotlight(n - 1, width, height);
            return;
        }
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

    /** One large tile; `n` others in a column beside it, or in rows below where the window is tall. */
    #layOutSpotlight(n, width, height) {
        const tall = width < height;
        const columns = Math.min(n, 3);
        const rows = Math.max(2, Math.min(n, 6));
        const row = tall ? Math.round(width / Math.max(columns, 2) / ASPECT)
            : Math.round(Math.min((height - GAP * (rows - 1)) / rows, width * 0.22 / ASPECT));
        this.#element.classList.toggle('tall', tall);
        const style = this.#element.style;
        style.setProperty('--strip', `${Math.round(row * ASPECT)}px`);
        style.setProperty('--strip-row', `${row}px`);
        style.setProperty('--strip-rows', Math.max(n, Math.floor((height + GAP) / (row + GAP))));
        style.setProperty('--strip-columns', columns);
        style.setProperty('--large', `${Math.max(row, height - GAP - Math.min(2, Math.ceil(n / columns)) * (row + GAP))}px`);
    }
}
