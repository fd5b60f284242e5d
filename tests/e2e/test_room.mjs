/** Everybody in one room: Chromium, Firefox, aiortc, GStreamer and sluice-client. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { check, connected, Firefox, here, joinPage, near, plan, pythonPeer, READ_STATS, readTones, scratch, shots,
    sleep, sluiceClient, startChromium, startServer, until } from './harness.mjs';

const TONES = { Chromium: 523, aiortc: 660, gstreamer: 830, client: 440 };
let server, chrome, firefox, client, aiortc, gstreamer, player;
const readFox = () => firefox.evaluate(READ_STATS);
const readChrome = () => chrome.evaluate(READ_STATS);

await plan([
    ['five kinds of clients meet in one room', async () => {
        server = await startServer(process.argv.slice(2));
        const browser = await startChromium({ tone: TONES.Chromium });
        firefox = await Firefox.start();
        chrome = await joinPage(browser, server, 'all', 'Chromium');
        await connected(chrome);
        await firefox.goto(`${server.http}/?room=all&name=Firefox&join=1`);
        await until(() => firefox.evaluate(`document.getElementById('status').dataset.state === 'connected'`), 'Firefox', 30000);
        aiortc = pythonPeer('aiortc_peer.py', ['whip', `${server.http}/whip/all?name=aiortc`, '--tone', TONES.aiortc, '--seconds', 45]);
        gstreamer = pythonPeer('gst_peer.py', ['whip', `${server.http}/whip/all?name=gstreamer`, '--tone', TONES.gstreamer, '--seconds', 45]);
        client = sluiceClient(server, 'all', ['--name', 'client', '--send', `tone:${TONES.client}`, '--record-each',
            join(scratch, 'room'), '--for', '30']);
        await until(async () => (await server.health()).participants === 5, 'all five are in', 20000);
    }],
    ['Chromium sees Firefox, aiortc and GStreamer move', async () => {
        await until(async () => {
            const { tiles } = await readChrome();
            return ['Firefox', 'aiortc', 'gstreamer'].every((name) => tiles[name]?.frames > 20);
        }, 'three pictures', 25000).catch(async (e) => { throw new Error(`${e.message}: ${JSON.stringify(await readChrome())}`); });
    }],
    ['Firefox sees Chromium, aiortc and GStreamer move', async () => {
        await until(async () => {
            const { tiles } = await readFox();
            return ['Chromium', 'aiortc', 'gstreamer'].every((name) => tiles[name]?.frames > 20);
        }, 'three pictures', 25000).catch(async (e) => { throw new Error(`${e.message}: ${JSON.stringify(await readFox())}`); });
    }],
    ['Chromium hears the three tones of the others', async () => {
        await until(async () => {
            const tones = await readTones(chrome);
            return ['aiortc', 'gstreamer', 'client'].every((name) => tones.some((t) => Math.abs(t - TONES[name]) < 5));
        }, 'all tones', 20000).catch(async (e) => { throw new Error(`${e.message}: ${await readTones(chrome)}`); });
        await chrome.screenshot({ path: `${shots}/call-everybody.png` });
    }],
    ['aiortc and GStreamer players of the room see its pictures', async () => {
        const players = [pythonPeer('aiortc_peer.py', ['whep', `${server.http}/whep/all`, '--audio', 4, '--video', 4, '--seconds', 6]),
            pythonPeer('gst_peer.py', ['whep', `${server.http}/whep/all`, '--seconds', 6])];
        await Promise.all(players.map((p) => p.wait(40000)));
        const [many, one] = players.map((p) => p.json());
        check(many.frames.length === 4 && many.frames.every((n) => n > 10), `aiortc: ${JSON.stringify(many)}`);
        check(one.frames > 10, `GStreamer: ${JSON.stringify(one)}`);
    }],
    ['sluice-client recorded everybody\'s tone', async () => {
        check(await client.wait(60000) === 0, client.err);
        const files = readdirSync(join(scratch, 'room'));
        for (const name of ['Chromium', 'aiortc', 'gstreamer']) {
            const file = files.find((f) => f.startsWith(name));
            check(file, `${name} is missing in ${files}`);
            const { frequency } = JSON.parse(execFileSync('/usr/bin/python3', [join(here, 'audio_compare.py'), 'tone', join(scratch, 'room', file)]));
            near(frequency, TONES[name], 4, `${name} [Hz]`);
        }
        check(files.some((f) => f.startsWith('Firefox')), 'Firefox was recorded');
        await Promise.all([aiortc.wait(60000), gstreamer.wait(60000)]);
    }],
]);
