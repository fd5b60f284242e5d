/** WHIP and WHEP with aiortc and GStreamer, with tokens: each publishes, each plays the other. */
import { bearer, check, KEYS, near, plan, pythonPeer, sleep, startChromium, startServer, until } from './harness.mjs';

let server;

/** Publish with one client for as long as the other plays; check picture and tone. */
async function cross(publisher, player, room, tone) {
    const server = await startServer(KEYS);
    const token = ['--token', bearer({ room })];
    const whip = pythonPeer(publisher, ['whip', `${server.http}/whip/${room}`, '--tone', tone, '--seconds', 16, ...token]);
    await until(async () => (await server.health()).participants === 1, 'the publisher is in the room');
    await sleep(1500);
    const whep = pythonPeer(player, ['whep', `${server.http}/whep/${room}`, '--seconds', 9, ...token]);
    await whep.wait(40000);
    const seen = whep.json();
    const frames = [seen.frames].flat()[0];
    check(seen.status === 201 && seen.delete === 200, `HTTP: ${JSON.stringify(seen)}`);
    check(seen.connection === 'connected', `connection is ${seen.connection}`);
    check(frames > 15 * 4, `${frames} frames decoded in 9 s of 15 frames/s`);
    check([seen.pictures].flat()[0] > frames / 2, 'the picture moves');
    near([seen.tones ?? seen.tone].flat()[0], tone, 4, 'tone [Hz]');
    await whip.wait(40000);
    check(whip.json().delete === 200, 'the publisher ends by DELETE');
    await until(async () => (await server.health()).rooms === 0, 'the room is gone');
}

const post = (path, body, headers = { 'Content-Type': 'application/sdp' }) =>
    fetch(server.http + path, { method: 'POST', headers, body });

/** In a page: publish two sizes, for which the first estimate of Chromium is enough. */
async function publishLayers(url) {
    const pc = window.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360, frameRate: 20 } });
    pc.addTransceiver(stream.getAudioTracks()[0], { direction: 'sendonly', streams: [stream] });
    pc.addTransceiver(stream.getVideoTracks()[0], { direction: 'sendonly', streams: [stream],
        sendEncodings: ['q', 'h'].map((rid, i) => ({ rid, scaleResolutionDownBy: 4 >> i })) });
    await pc.setLocalDescription();
    const reply = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: pc.localDescription.sdp });
    await pc.setRemoteDescription({ type: 'answer', sdp: await reply.text() });
}

/** In a page: play, and note the events. */
async function playLayers(url) {
    const pc = window.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    pc.addTransceiver('audio', { direction: 'recvonly' });
    pc.addTransceiver('video', { direction: 'recvonly' });
    await pc.setLocalDescription();
    const reply = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: pc.localDescription.sdp });
    await pc.setRemoteDescription({ type: 'answer', sdp: await reply.text() });
    const links = Object.fromEntries([...reply.headers.get('Link').matchAll(/<([^>]+)>; rel="([^"]+)"/g)]
        .map(([, uri, rel]) => [rel.split(':').at(-1), new URL(uri, url)]));
    window.seen = {};
    const events = new EventSource(links['server-sent-events']);
    for (const name of ['active', 'inactive', 'layers', 'viewercount', 'muted'])
        events.addEventListener(name, (event) => { window.seen[name] = JSON.parse(event.data); });
    window.choose = async (layer) => (await fetch(links.layer, { method: 'POST', body: JSON.stringify(layer),
        headers: { 'Content-Type': 'application/json' } })).status;
    window.width = async () => [...(await pc.getStats()).values()]
        .find((s) => s.type === 'inbound-rtp' && s.kind === 'video')?.frameWidth;
}

// The pairs run side by side, each with a server of its own: most of their time is waiting.
const pairs = Object.fromEntries([['aiortc', 'aiortc', 600], ['gst', 'gst', 700], ['aiortc', 'gst', 800], ['gst', 'aiortc', 900]]
    .map(([publisher, player, tone]) => [`${publisher} ${player}`,
        cross(`${publisher}_peer.py`, `${player}_peer.py`, `${publisher}-${player}`, tone).then(() => null, (error) => error)]));

/** The case of a pair: it fails with what the pair failed with. */
const pair = (name) => async () => {
    const error = await pairs[name];
    if (error)
        throw error;
};

await plan([
    ['aiortc publishes by WHIP, aiortc plays by WHEP', pair('aiortc aiortc')],
    ['GStreamer publishes, GStreamer plays', pair('gst gst')],
    ['aiortc publishes, GStreamer plays', pair('aiortc gst')],
    ['GStreamer publishes, aiortc plays', pair('gst aiortc')],
    ['a WHEP offer with two slots of a kind carries two publishers, also a later one', async () => {
        server = await startServer();
        const first = pythonPeer('aiortc_peer.py', ['whip', `${server.http}/whip/two`, '--tone', 500, '--seconds', 18]);
        await until(async () => (await server.health()).participants === 1, 'the first publisher is there');
        const whep = pythonPeer('aiortc_peer.py', ['whep', `${server.http}/whep/two`, '--audio', 2, '--video', 2, '--seconds', 13]);
        await until(async () => (await server.health()).participants === 2, 'the player is there');
        const second = pythonPeer('gst_peer.py', ['whip', `${server.http}/whip/two`, '--tone', 1100, '--seconds', 13]);
        await whep.wait(40000);
        const seen = whep.json();
        check(seen.tones.length === 2 && seen.frames.every((n) => n > 30), JSON.stringify(seen));
        near(seen.tones[0], 500, 4, 'first slot: first publisher [Hz]');
        near(seen.tones[1], 1100, 4, 'second slot: second publisher [Hz]');
        await Promise.all([first.wait(40000), second.wait(40000)]);
    }],
    ['a player by WHEP is told of layers, and gets the one it chooses', async () => {
        const layered = await startServer();
        const browser = await startChromium();
        const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
        const [publisher, player] = [await context.newPage(), await context.newPage()];
        for (const page of [publisher, player])
            await page.goto(`${layered.http}/client/style.css`);
        await publisher.evaluate(publishLayers, `${layered.http}/whip/layers`);
        await player.evaluate(playLayers, `${layered.http}/whep/layers`);
        const layers = await until(() => player.evaluate(() => {
            const found = window.seen.layers?.['1'];
            return found?.length === 2 && found.every((l) => l.bitrate > 0 && l.width > 0) && found;
        }), 'two layers are told of, and flow', 30000)
            .catch(async (error) => { throw new Error(`${error.message}: ${await player.evaluate(() => JSON.stringify(window.seen))}`); });
        check(layers.map((l) => l.rid).join() === 'h,q', JSON.stringify(layers));
        check(await player.evaluate(() => window.seen.active && window.seen.viewercount.viewercount === 1), 'active, viewercount');
        for (const [rid, width] of [['q', 160], ['h', 320], ['q', 160], [null, 320]]) {
            check(await player.evaluate((rid) => window.choose(rid ? { mediaId: '1', rid } : {}), rid) === 200, `POST of ${rid}`);
            await until(() => player.evaluate((width) => window.width().then((now) => now === width), width),
                `the picture is ${width} wide`, 15000);
        }
        check(await player.evaluate(() => window.choose({ rid: 'x' })) === 409, 'a rid that is not there');
    }],
    ['a server that advertises one address of many is reached from another', async () => {
        // aiortc gathers the private address alone; what it sends to 127.0.0.1 comes from there,
        // and an answer must come from 127.0.0.1.
        const many = await startServer(['--advertise', '127.0.0.1']);
        const whip = pythonPeer('aiortc_peer.py', ['whip', `${many.http}/whip/many`, '--seconds', 4]);
        await whip.wait(40000);
        const seen = whip.json();
        check(seen.connection === 'connected', JSON.stringify(seen));
        check(seen.packets_sent.audio > 50, JSON.stringify(seen));
    }],
    ['bad requests get problem+json with a stable code, and harm nobody', async () => {
        const cases = [
            [await post('/whip/x', 'hello'), 400, 'sdp_syntax'],
            [await post('/whip/x', 'v=0\r\n', { 'Content-Type': 'text/plain' }), 415, null],
            [await post('/whip/bad%20room', 'v=0\r\n'), 400, null],
            [await post('/whip/x', 'v=0\r\n' + 'a=x\r\n'.repeat(100000)), 413, null],
            [await fetch(`${server.http}/whip/x/none`, { method: 'DELETE' }), 404, null],
            [await fetch(`${server.http}/whip/x`, { method: 'PUT' }), 405, null],
            [await fetch(`${server.http}/nothing`), 404, null],
        ];
        for (const [reply, status, code] of cases) {
            const body = await reply.text();
            check(reply.status === status, `${reply.url}: ${reply.status}, expected ${status}: ${body}`);
            check(/problem\+json/.test(reply.headers.get('content-type')), `${reply.url}: ${reply.headers.get('content-type')}`);
            check(!code || JSON.parse(body).code === code, `${reply.url}: ${body}`);
        }
        const options = await fetch(`${server.http}/whip/x`, { method: 'OPTIONS' });
        check(options.status < 300 && options.headers.get('access-control-allow-methods').includes('POST'), 'CORS preflight');
        check((await server.health()).status === 'ok', 'still healthy');
    }],
]);
