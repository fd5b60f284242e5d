/** WHIP and WHEP with aiortc and GStreamer, with tokens: each publishes, each plays the other. */
import { bearer, check, KEYS, near, plan, pythonPeer, sleep, startServer, until } from './harness.mjs';

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
