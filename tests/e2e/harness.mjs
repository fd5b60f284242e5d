/**
 * What the end-to-end tests share: TAP, processes, the server, Chromium, Firefox.
 *
 * A test file calls `plan([[name, async function], ...])`; a case fails by throwing. Every process
 * that was started is ended by pid, whatever happens. Tests run inside a network namespace that
 * tests/e2e/run made, with a loopback and one private interface, so that nothing leaves it.
 */
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import WebSocket from 'ws';

export const here = dirname(fileURLToPath(import.meta.url));
export const root = join(here, '..', '..');
export const build = process.env.SLUICE_BUILD ?? join(root, 'build');
export const scratch = mkdtempSync(join(tmpdir(), 'sluice-e2e-'));
export const shots = process.env.SLUICE_SHOTS ?? join(scratch, 'shots');
mkdirSync(shots, { recursive: true });

const cleanups = [];
const processes = [];
/** Run `f` when the file ends, last first. */
export function atEnd(f) {
    cleanups.push(f);
}

export async function plan(cases) {
    let failed = 0;
    console.log(`1..${cases.length}`);
    for (const [i, [name, run]] of cases.entries()) {
        const started = Date.now();
        try {
            await run();
            console.log(`ok ${i + 1} - ${name} # ${((Date.now() - started) / 1000).toFixed(1)} s`);
        } catch (error) {
            failed++;
            console.log(`not ok ${i + 1} - ${name}`);
            console.log(String(error.stack ?? error).replace(/^/gm, '#   '));
            for (const p of processes.filter((p) => p.fresh()))
                console.log(`${p.name} ${p.pid}${p.status === undefined ? '' : ` ended with ${p.status}`}:\n${p.tail()}`
                    .replace(/^/gm, '#     '));
        }
    }
    for (const f of cleanups.reverse())
        await Promise.resolve(f()).catch?.(() => {});
    if (!process.env.SLUICE_KEEP)
        rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
    process.exit(failed ? 1 : 0);
}

export function check(ok, what) {
    if (!ok)
        throw new Error(what);
}

export function near(value, expected, tolerance, what) {
    check(Math.abs(value - expected) <= tolerance, `${what}: ${value}, expected ${expected} ± ${tolerance}`);
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Ask `f` every 200 ms until it gives something true. */
export async function until(f, what, ms = 20000) {
    const end = Date.now() + ms;
    let last;
    while (Date.now() < end) {
        last = await f();
        if (last)
            return last;
        await sleep(200);
    }
    throw new Error(`not within ${ms / 1000} s: ${what}`);
}

/** A child process with its output kept. */
export class Process {
    constructor(command, args, options = {}) {
        this.name = command.split('/').pop();
        this.out = '';
        this.err = '';
        this.child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
        this.child.stdout.on('data', (d) => { this.out += d; });
        this.child.stderr.on('data', (d) => { this.err += d; });
        this.exited = new Promise((resolve) => {
            this.child.on('exit', (code, signal) => { this.status = code ?? signal; resolve(this.status); });
            this.child.on('error', (error) => { this.err += error.message; this.status = 'spawn'; resolve('spawn'); });
        });
        atEnd(() => this.kill('SIGKILL'));
        processes.push(this);
    }

    get pid() {
        return this.child.pid;
    }

    /** Did it say something since the last time somebody asked? */
    fresh() {
        const before = this.told ?? 0;
        this.told = this.err.length;
        return this.told > before;
    }

    tail(lines = 12) {
        return this.err.trimEnd().split('\n').slice(-lines).join('\n');
    }

    kill(signal = 'SIGTERM') {
        if (this.status === undefined)
            this.child.kill(signal);
    }

    /** Wait for the end. @returns exit status or signal name */
    async wait(ms = 30000) {
        const result = await Promise.race([this.exited, sleep(ms).then(() => 'late')]);
        check(result !== 'late', `${this.name} did not end within ${ms / 1000} s\n${this.err.slice(-2000)}`);
        return result;
    }

    /** The last JSON line it printed. */
    json() {
        const lines = this.out.trim().split('\n').filter((line) => line.startsWith('{'));
        check(lines.length > 0, `${this.name} printed no result; status ${this.status}\n${this.err.slice(-2000)}`);
        return JSON.parse(lines.at(-1));
    }
}

let nextPort = 21000 + (process.pid % 500) * 40;
export function freePort(n = 1) {
    const port = nextPort;
    nextPort += n;
    return port;
}

/** Start a server on ports of its own and wait until it is healthy. `address`: where it listens. */
export async function startServer(args = [], wrapper = [], address = '127.0.0.1') {
    const port = freePort();
    const udp = freePort(4);
    const command = [...wrapper, join(build, 'sfu', 'sluice'), '--listen', `${address}:${port}`,
        '--udp-port', String(udp), '--workers', '1', ...args];
    if (address !== '127.0.0.1' && !args.includes('--keys'))
        command.push('--open', 'yes');
    const server = new Process(command[0], command.slice(1));
    server.http = `http://127.0.0.1:${port}`;
    server.ws = `ws://127.0.0.1:${port}/ws`;
    server.port = port;
    server.udp = udp;
    server.health = async () => (await fetch(`${server.http}/healthz`)).json();
    await until(() => {
        check(server.status === undefined, `the server ended with ${server.status}: ${server.err}`);
        return server.health().catch(() => null);
    }, `the server is healthy: ${server.err}`);
    return server;
}

/** Of servers that let in who has a token of bearer(). */
const SECRET = 'the secret that servers and tests share';
export const KEYS = ['--keys', `test:${SECRET}`];

/** A JSON Web Token (RFC 7519) that grants all of a room. */
export function bearer(grants, name = 'Ada') {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { sub: name, name, exp: Math.floor(Date.now() / 1000) + 600,
        sluice: { join: true, publish: true, subscribe: true, ...grants } };
    const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
    return `${text}.${createHmac('sha256', SECRET).update(text).digest('base64url')}`;
}

export function sluiceClient(server, room, args) {
    return new Process(join(build, 'client', 'sluice-client'), ['--server', server.ws, '--room', room, ...args]);
}

/** Run a peer of peers/ under Debian's own python3 (aiortc and GStreamer are its packages). */
export function pythonPeer(script, args) {
    return new Process('/usr/bin/python3', [join(here, 'peers', script), ...args.map(String)]);
}

/** A WAV with a sine in it, for fake microphones. */
export function toneFile(frequency, seconds = 10) {
    const rate = 48000;
    const n = rate * seconds;
    const wav = Buffer.alloc(44 + n * 2);
    wav.write('RIFF', 0); wav.writeUInt32LE(36 + n * 2, 4); wav.write('WAVEfmt ', 8);
    wav.writeUInt32LE(16, 16); wav.writeUInt16LE(1, 20); wav.writeUInt16LE(1, 22);
    wav.writeUInt32LE(rate, 24); wav.writeUInt32LE(rate * 2, 28); wav.writeUInt16LE(2, 32);
    wav.writeUInt16LE(16, 34); wav.write('data', 36); wav.writeUInt32LE(n * 2, 40);
    for (let i = 0; i < n; i++)
        wav.writeInt16LE(Math.round(9000 * Math.sin(2 * Math.PI * frequency * i / rate)), 44 + i * 2);
    const path = join(scratch, `tone-${frequency}.wav`);
    writeFileSync(path, wav);
    return path;
}

// --- Chromium ---------------------------------------------------------------------------------

const QUIET_HOSTS = ['*.googleapis.com', '*.google.com', '*.gstatic.com', '*.gvt1.com']
    .map((host) => `MAP ${host} ~NOTFOUND`).join(' , ');

/**
 * @param {string[]} [wrapper]  command that runs it somewhere else, such as behind a link (link.mjs)
 * @param {string} [trusted]    origin whose pages may use the camera, although it is not localhost
 * @param {string[]} [extra]    further arguments
 */
export async function startChromium({ tone = 0, wrapper = [], trusted = '', extra = [] } = {}) {
    let executablePath = '/usr/bin/chromium';
    if (wrapper.length) {
        const script = join(mkdtempSync(join(scratch, 'wrapper-')), 'chromium');
        writeFileSync(script, `#!/bin/sh\nexec ${wrapper.join(' ')} ${executablePath} "$@"\n`, { mode: 0o755 });
        executablePath = script;
    }
    const browser = await chromium.launch({
        executablePath,
        ignoreDefaultArgs: ['--mute-audio'],
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
            '--disable-background-networking', '--disable-component-update', '--disable-sync',
            '--autoplay-policy=no-user-gesture-required', '--use-fake-ui-for-media-stream',
            '--use-fake-device-for-media-stream=fps=30', '--allow-loopback-in-peer-connection',
            '--disable-background-timer-throttling', '--disable-renderer-backgrounding',
            '--disable-backgrounding-occluded-windows', '--disable-features=WebRtcHideLocalIpsWithMdns',
            `--host-resolver-rules=${QUIET_HOSTS}`,
            ...extra, ...(trusted ? [`--unsafely-treat-insecure-origin-as-secure=${trusted}`] : []),
            ...(tone ? [`--use-file-for-fake-audio-capture=${toneFile(tone)}`] : [])],
    });
    atEnd(() => browser.close());
    return browser;
}

/** What keeps several encoders affordable on two cores. */
const CAMERA = { width: 640, height: 360, frameRate: 30 };

/** Open the page and join. @returns the playwright page */
export async function joinPage(browser, server, room, name, size = { width: 1100, height: 720 }, scheme = 'light',
    camera = CAMERA) {
    const context = await browser.newContext({ viewport: size, colorScheme: scheme,
        permissions: ['camera', 'microphone'] });
    const page = await context.newPage();
    page.problems = [];
    page.on('pageerror', (error) => page.problems.push(error.message));
    page.on('console', (m) => ['error', 'warning'].includes(m.type()) && page.problems.push(m.text()));
    await page.addInitScript((camera) => {
        const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = (c) => real({ ...c,
            audio: c.audio && { echoCancellation: false, noiseSuppression: false, autoGainControl: false },
            video: c.video && camera });
    }, camera);
    await page.goto(`${server.http}/?room=${room}&name=${encodeURIComponent(name)}&join=1`);
    await page.waitForSelector('#call:not([hidden])', { timeout: 15000 });
    return page;
}

export const pageState = (page) => page.evaluate(() => document.getElementById('status').dataset.state);

export async function connected(page) {
    await until(async () => (await pageState(page)) === 'connected',
        'the page is connected', 20000).catch(async (error) => {
        const text = await page.evaluate(() => document.body.innerText);
        throw new Error(`${error.message}\n${text}\n${page.problems.join('\n')}`);
    });
}

/** What a page receives and sends now, by participant name. Runs in any browser's page. */
export const READ_STATS = `(async () => {
    const call = window.sluiceCall, pc = call.peerConnection;
    const stats = [...(await pc.getStats()).values()];
    const tiles = {}, out = { fps: 0, frames: 0, kbps: 0 };
    const mids = new Map(pc.getTransceivers().map((t) => [t.receiver.track, t.mid]));
    // of several sizes the one that is sent all the time
    for (const s of stats.filter((s) => s.type === 'outbound-rtp' && s.kind === 'video')
        .sort((a, b) => (a.framesEncoded ?? 0) - (b.framesEncoded ?? 0)))
        Object.assign(out, { frames: s.framesEncoded, fps: s.framesPerSecond, keyFrames: s.keyFramesEncoded,
            width: s.frameWidth, packets: s.packetsSent, bytes: s.bytesSent });
    for (const p of call.participants.values()) {
        const tile = tiles[p.name] = { tracks: [...p.tracks.values()].map((t) => t.kind) };
        const element = document.querySelector('.tile[data-key="' + p.id + '"] video');
        const media = element && element.srcObject && element.srcObject.getVideoTracks()[0];
        const video = stats.find((s) => s.type === 'inbound-rtp' && s.kind === 'video' && media && s.mid === mids.get(media));
        if (video)
            Object.assign(tile, { frames: video.framesDecoded, width: video.frameWidth, freezes: video.freezeCount,
                lost: video.packetsLost, nacks: video.nackCount, plis: video.pliCount, keyFrames: video.keyFramesDecoded });
    }
    const audio = stats.filter((s) => s.type === 'inbound-rtp' && s.kind === 'audio' && s.packetsReceived > 0)
        .map((s) => ({ mid: s.mid, packets: s.packetsReceived, energy: s.totalAudioEnergy, concealed: s.concealedSamples,
            samples: s.totalSamplesReceived }));
    return { tiles, out, audio };
})()`;

/** Publish a canvas of one colour, with a bar that moves, as the screen. Runs in any browser's page. */
export const shareScreen = (colour) => `(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 800, height: 450 });
    const context = canvas.getContext('2d');
    let n = 0;
    const draw = () => {
        context.fillStyle = '${colour}';
        context.fillRect(0, 0, 800, 450);
        context.fillStyle = '#fff';
        context.fillRect(n++ * 8 % 800, 0, 8, 40);
    };
    draw();
    setInterval(draw, 100);
    const track = canvas.captureStream(10).getVideoTracks()[0];
    track.contentHint = 'detail'; // as the page does it: small steps in time, none in size
    await window.sluiceCall.publish(track, 'screen');
})()`;

/** The screens of others that a page shows: label, size, colour of the middle, where the bar is [percent]. Runs in any
 *  browser's page. Firefox counts no frames of a stream, so that the picture must tell whether it moves. */
export const READ_SCREENS = `[...document.querySelectorAll('.tile.screen.has-video:not(.own)')].map((tile) => {
    const video = tile.querySelector('video');
    const { videoWidth: width, videoHeight: height } = video;
    const context = Object.assign(document.createElement('canvas'), { width: 100, height: 1 })
        .getContext('2d', { willReadFrequently: true });
    const row = (y) => {
        context.drawImage(video, 0, y * height, width, 1, 0, 0, 100, 1);
        return [...context.getImageData(0, 0, 100, 1).data];
    };
    const light = row(0.04).filter((v, i) => i % 4 === 0);
    return { name: tile.querySelector('.tile-name').textContent, width, colour: row(0.5).slice(200, 203),
        bar: light.indexOf(Math.max(...light)) };
})`;

/** Wait until `read` (of READ_SCREENS) gives one screen that is `name`, moves, and has a middle of that colour. */
export async function seesScreen(read, name, colour, who) {
    const bars = new Set();
    let last;
    const like = (s) => s.colour.every((v, i) => Math.abs(v - colour[i]) < 40);
    await until(async () => {
        last = await read();
        if (last.length === 1 && last[0].name === name && like(last[0]))
            bars.add(last[0].bar);
        return bars.size > 3;
    }, `${who} sees "${name}" move`).catch((error) => { throw new Error(`${error.message}: ${JSON.stringify(last)}`); });
    return last[0];
}

/** Strongest frequency [Hz] of every audio slot that sounds now. Chromium only. */
export const readTones = (page) => page.evaluate(async () => {
    const context = new AudioContext();
    await context.resume();
    const slots = window.sluiceCall.peerConnection.getReceivers()
        .filter((r) => r.track.kind === 'audio' && !r.track.muted);
    const analysers = slots.map((r) => {
        const analyser = new AnalyserNode(context, { fftSize: 32768, smoothingTimeConstant: 0 });
        context.createMediaStreamSource(new MediaStream([r.track])).connect(analyser);
        return analyser;
    });
    await new Promise((done) => setTimeout(done, 1500));
    const tones = analysers.map((analyser) => {
        const bins = new Float32Array(analyser.frequencyBinCount);
        analyser.getFloatFrequencyData(bins);
        const best = bins.reduce((b, v, i) => (v > bins[b] ? i : b), 0);
        return bins[best] > -70 ? best * context.sampleRate / analyser.fftSize : 0;
    });
    await context.close();
    return tones.filter(Boolean).map(Math.round);
});

/** Frames decoded per second from each participant over `ms`, and what the page sent. */
export async function frameRates(read, ms = 4000) {
    const before = await read();
    const start = Date.now();
    await sleep(ms);
    const after = await read();
    const seconds = (Date.now() - start) / 1000;
    const rates = { sent: (after.out.frames - before.out.frames) / seconds };
    for (const [name, tile] of Object.entries(after.tiles))
        rates[name] = ((tile.frames ?? 0) - (before.tiles[name]?.frames ?? 0)) / seconds;
    return rates;
}

// --- Firefox ----------------------------------------------------------------------------------

const FIREFOX_PREFS = {
    'media.navigator.streams.fake': true, 'media.navigator.permission.disabled': true,
    'media.autoplay.default': 0, 'media.autoplay.blocking_policy': 0, 'toolkit.telemetry.enabled': false,
    'datareporting.policy.dataSubmissionEnabled': false, 'datareporting.healthreport.uploadEnabled': false,
    'app.update.enabled': false, 'app.update.auto': false, 'app.normandy.enabled': false,
    'browser.safebrowsing.malware.enabled': false, 'browser.safebrowsing.phishing.enabled': false,
    'browser.safebrowsing.downloads.enabled': false, 'browser.shell.checkDefaultBrowser': false,
    'browser.startup.homepage_override.mstone': 'ignore', 'browser.aboutwelcome.enabled': false,
    'browser.region.network.url': '', 'browser.region.update.enabled': false, 'geo.enabled': false,
    'network.captive-portal-service.enabled': false, 'network.connectivity-service.enabled': false,
    'extensions.update.enabled': false, 'extensions.getAddons.cache.enabled': false,
    'services.settings.server': 'data:,', 'network.dns.disablePrefetch': true, 'network.prefetch-next': false,
    'network.dns.localDomains': 'firefox.settings.services.mozilla.com,content-signature-2.cdn.mozilla.net,'
        + 'incoming.telemetry.mozilla.org,push.services.mozilla.com,detectportal.firefox.com,aus5.mozilla.org',
    'media.peerconnection.ice.obfuscate_host_addresses': false, 'remote.active-protocols': 1,
    // Fake streams do not count as capturing: without these Firefox gathers only on the address of
    // the default route, which the namespace has not, and ICE fails before it starts.
    'permissions.default.camera': 1, 'permissions.default.microphone': 1,
};

/** Firefox by WebDriver BiDi: no driver binary, one WebSocket. */
export class Firefox {
    #socket;
    #pending = new Map();
    #id = 0;

    /** @param {object} [prefs]  further preferences */
    static async start(prefs = {}) {
        const firefox = new Firefox();
        const profile = mkdtempSync(join(scratch, 'firefox-'));
        writeFileSync(join(profile, 'user.js'), Object.entries({ ...FIREFOX_PREFS, ...prefs })
            .map(([key, value]) => `user_pref(${JSON.stringify(key)}, ${JSON.stringify(value)});`).join('\n'));
        const port = freePort();
        firefox.process = new Process('firefox-esr', ['--headless', '--no-remote', '--profile', profile,
            '--remote-debugging-port', String(port)], { env: { ...process.env, HOME: profile, MOZ_HEADLESS: '1' } });
        await until(() => /WebDriver BiDi listening/.test(firefox.process.err), 'Firefox listens', 60000);
        await firefox.#connect(port);
        await firefox.#call('session.new', { capabilities: {} });
        const { context } = await firefox.#call('browsingContext.create', { type: 'tab' });
        firefox.context = context;
        return firefox;
    }

    #connect(port) {
        return new Promise((resolve, reject) => {
            this.#socket = new WebSocket(`ws://127.0.0.1:${port}/session`);
            this.#socket.on('open', resolve);
            this.#socket.on('error', reject);
            this.#socket.on('message', (data) => {
                const message = JSON.parse(data);
                const pending = this.#pending.get(message.id);
                this.#pending.delete(message.id);
                if (message.type === 'error')
                    pending?.reject(new Error(`${message.error}: ${message.message}`));
                else
                    pending?.resolve(message.result);
            });
        });
    }

    #call(method, params) {
        const id = ++this.#id;
        this.#socket.send(JSON.stringify({ id, method, params }));
        return new Promise((resolve, reject) => this.#pending.set(id, { resolve, reject }));
    }

    async goto(url) {
        await this.#call('browsingContext.navigate', { context: this.context, url, wait: 'complete' });
    }

    /** Evaluate an expression (a promise is awaited). @returns its value by JSON */
    async evaluate(expression) {
        const { result, exceptionDetails } = await this.#call('script.evaluate', {
            expression: `(async () => JSON.stringify(await (${expression})) ?? 'null')()`,
            awaitPromise: true, target: { context: this.context } });
        check(!exceptionDetails, `in Firefox: ${exceptionDetails?.text}`);
        return JSON.parse(result.value);
    }

    async screenshot(path) {
        const { data } = await this.#call('browsingContext.captureScreenshot', { context: this.context });
        writeFileSync(path, Buffer.from(data, 'base64'));
    }
}
