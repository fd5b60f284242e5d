/**
 * Browsers behind bad networks: a link of bench/netlab between the test's namespace and one of its own, and calls
 * without the page's decoration, so that two cores suffice.
 */
import { existsSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { build, check, Process, sleep, until } from './harness.mjs';

/** Why links cannot be made here, or null. */
export const noLinks = existsSync('/dev/net/tun') ? null : 'skipped, because this kernel has no /dev/net/tun';

/** The durations (a minute of measuring) rather than those that fit into every run of the tests. */
export const full = !!process.env.SLUICE_FULL;
/** @returns milliseconds to measure: `short` or `long` seconds */
export const span = (short, long) => 1000 * (full ? long : short);

let links = 0;

/** A namespace behind a link that does what `script` says (docs/NETLAB.md); `up` is what it sends. */
export class Link extends Process {
    static async make(script) {
        const number = ++links;
        const link = new Link(join(build, 'bench', 'netlab_link'), ['--far', 'new', '--near-name', `link${number}`, '--script', script],
            { stdio: ['pipe', 'pipe', 'pipe'] });
        await until(() => link.out.includes('"ready"') || link.status !== undefined, 'the link is ready', 5000);
        check(link.status === undefined, `the link ended with ${link.status}: ${link.err}`);
        link.wrapper = ['nsenter', `--net=/proc/${link.pid}/ns/net`];
        link.near = `10.98.${number}.1`; // where the server is seen from behind it
        link.far = `10.98.${number}.2`;
        const ip = (...args) => execFileSync('ip', args);
        const inside = (...args) => execFileSync(link.wrapper[0], [link.wrapper[1], 'ip', ...args]);
        ip('addr', 'add', `${link.near}/24`, 'dev', `link${number}`);
        inside('link', 'set', 'lo', 'up');
        inside('addr', 'add', `${link.far}/24`, 'dev', 'eth0');
        inside('route', 'add', 'default', 'via', link.near);
        return link;
    }

    /** Change it: statements as in a script. */
    tell(text) {
        this.child.stdin.write(`${text}\n`);
    }

    /** What both directions have carried and lost so far. */
    async stats() {
        const had = this.out.length;
        this.tell('stats');
        await until(() => this.out.indexOf('\n', had) >= 0, 'the link tells', 5000);
        return JSON.parse(this.out.slice(had).split('\n')[0]);
    }
}

// --- calls ------------------------------------------------------------------------------------

/**
 * What a page of calls defines; runs in any browser's page of the server's origin.
 * openCall({room, name, publish?: {width, height, frameRate?, codec?, audio?}}) joins; readCall() tells everything; viewAll(view) is call.view()
 * for all remote video tracks.
 */
export const CALL = `(async () => {
    const { Call } = await import('/client/sluice.js');
    const elements = new Map(); // id of a track -> element
    window.openCall = async ({ room, name, publish }) => {
        document.body.textContent = name;
        const call = window.sluiceCall = new Call({ room, name, videoCodec: publish?.codec });
        call.log = [];
        for (const type of ['stream', 'quality'])
            call.addEventListener(type, ({ detail }) => call.log.push({ at: Math.round(performance.now()), type,
                ...(type === 'stream' ? { track: detail.track.id, paused: detail.track.paused } : { you: detail.you }) }));
        call.addEventListener('track', ({ detail: { track, media } }) => {
            if (!media)
                return elements.get(track.id)?.remove();
            const element = elements.get(track.id) ?? document.createElement(track.kind);
            Object.assign(element, { autoplay: true, playsInline: true, srcObject: new MediaStream([media]), width: 160, height: 90 });
            elements.set(track.id, element);
            document.body.append(element);
        });
        const stream = publish ? await navigator.mediaDevices.getUserMedia({ video: { width: publish.width, height: publish.height,
            frameRate: publish.frameRate ?? 30 }, audio: publish.audio !== false && { echoCancellation: false, noiseSuppression: false, autoGainControl: false } })
            : null;
        await call.join(stream);
        return true;
    };
    window.viewAll = (view) => {
        for (const participant of sluiceCall.participants.values())
            for (const track of participant.tracks.values())
                if (track.kind === 'video')
                    sluiceCall.view(track.id, view);
    };
    window.readCall = async () => {
        const stats = [...(await sluiceCall.peerConnection.getStats()).values()];
        const of = (type, kind) => stats.filter((s) => s.type === type && s.kind === kind);
        const pair = stats.find((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded') ?? {};
        const codecOf = (s) => stats.find((c) => c.id === s.codecId)?.mimeType;
        return { state: sluiceCall.state, at: performance.now(),
            video: of('inbound-rtp', 'video').filter((s) => s.packetsReceived > 0).map((s) => ({ mid: s.mid, frames: s.framesDecoded,
                received: s.framesReceived, dropped: s.framesDropped, width: s.frameWidth, height: s.frameHeight, fps: s.framesPerSecond,
                freezes: s.freezeCount, frozen: s.totalFreezesDuration, keyFrames: s.keyFramesDecoded, packets: s.packetsReceived,
                bytes: s.bytesReceived, lost: s.packetsLost, nacks: s.nackCount, plis: s.pliCount, firs: s.firCount,
                rtx: s.retransmittedPacketsReceived, jitterDelay: s.jitterBufferDelay, emitted: s.jitterBufferEmittedCount, codec: codecOf(s) })),
            audio: of('inbound-rtp', 'audio').filter((s) => s.packetsReceived > 0).map((s) => ({ mid: s.mid, packets: s.packetsReceived,
                lost: s.packetsLost, concealed: s.concealedSamples, silent: s.silentConcealedSamples, samples: s.totalSamplesReceived,
                energy: s.totalAudioEnergy })),
            out: of('outbound-rtp', 'video').map((s) => ({ rid: s.rid, frames: s.framesEncoded, sent: s.framesSent, fps: s.framesPerSecond,
                width: s.frameWidth, height: s.frameHeight, bytes: s.bytesSent, keyFrames: s.keyFramesEncoded, plis: s.pliCount, firs: s.firCount,
                nacks: s.nackCount, active: s.active, limited: s.qualityLimitationReason, mode: s.scalabilityMode, codec: codecOf(s) })),
            uplink: pair.availableOutgoingBitrate, rtt: pair.currentRoundTripTime };
    };
    return true;
})()`;

/** Open a page of calls in Chromium. @returns the playwright page, with .open(), .read() and .view() */
export async function callPage(browser, origin) {
    const context = await browser.newContext({ viewport: { width: 400, height: 300 }, permissions: ['camera', 'microphone'] });
    const page = await context.newPage();
    page.problems = [];
    page.on('pageerror', (error) => page.problems.push(error.message));
    page.on('console', (m) => ['error', 'warning'].includes(m.type()) && page.problems.push(m.text()));
    await page.goto(`${origin}/client/style.css`); // any document of the server: its code may be imported there
    return equip(page, CALL);
}

/** Give a page of any browser, which is at the server's origin, the functions of a call. */
export async function equip(page) {
    await page.evaluate(CALL);
    page.open = async (options) => {
        await page.evaluate(`openCall(${JSON.stringify(options)})`);
        await until(async () => (await page.read()).state === 'connected', `${options.name} is connected`, 20000);
    };
    page.read = () => page.evaluate('readCall()');
    page.view = (view) => page.evaluate(`viewAll(${JSON.stringify(view)})`);
    return page;
}

/** What happened to the only picture and the only sound between two readings. */
export function between(before, after) {
    const seconds = (after.at - before.at) / 1000;
    const [v0, v1] = [before.video[0], after.video[0]];
    const [a0, a1] = [before.audio[0], after.audio[0]];
    const diff = (key) => v1[key] - v0[key];
    return { seconds, fps: diff('frames') / seconds, kbps: diff('bytes') * 8 / 1000 / seconds, freezes: diff('freezes'),
        frozen: diff('frozen'), keyFrames: diff('keyFrames'), plis: diff('plis'), lost: diff('lost'), nacks: diff('nacks'),
        frames: diff('frames'), dropped: diff('dropped'), width: v1.width,
        audioLoss: a0 && (a1.lost - a0.lost) / Math.max(1, a1.packets - a0.packets + a1.lost - a0.lost),
        concealed: a0 && (a1.concealed - a0.concealed) / Math.max(1, a1.samples - a0.samples) };
}

/** Note the widths that pages show, twice a second. `stop()` resolves with them, in order and without repeats, by page. */
export function watch(pages) {
    const widths = pages.map(() => []);
    let watching = true;
    const done = (async () => {
        while (watching) {
            for (const [n, page] of pages.entries()) {
                const { width } = (await page.read()).video[0];
                if (widths[n].at(-1) !== width)
                    widths[n].push(width);
            }
            await sleep(500);
        }
    })();
    return { stop: async () => { watching = false; await done; return widths; } };
}

/** JSON with at most three decimals. */
export const describe = (what) => JSON.stringify(what, (key, value) => (typeof value === 'number' ? Math.round(value * 1000) / 1000 : value));
