/** What networks and servers do to a call: lost WebSockets, a server that dies or stops, an address that changes. */
import { execFileSync } from 'node:child_process';
import net from 'node:net';
import { join } from 'node:path';
import { build, check, connected, freePort, joinPage, pageState, plan, Process, scratch, sleep, sluiceClient, startChromium, startServer,
    until } from './harness.mjs';

const CUTS = 20;
const GAP_MS = 200;         // without media, when a WebSocket is lost
const NETWORK_GAP_MS = 3000; // when the network changes
const POLL_MS = 40;

/** What stands between a client and the server, and fails. */
class Proxy {
    static async make(port) {
        const proxy = new Proxy();
        proxy.pairs = new Set();
        proxy.refuses = false;
        proxy.port = freePort();
        proxy.listener = net.createServer((socket) => proxy.#accept(socket, port));
        await new Promise((done) => proxy.listener.listen(proxy.port, '127.0.0.1', done));
        return proxy;
    }

    #accept(socket, port) {
        if (this.refuses) {
            socket.destroy();
            return;
        }
        const pair = { socket, server: net.connect(port, '127.0.0.1'), silent: false };
        this.pairs.add(pair);
        for (const [from, to] of [[pair.socket, pair.server], [pair.server, pair.socket]]) {
            from.on('data', (data) => pair.silent || to.write(data));
            from.on('close', () => { this.pairs.delete(pair); if (!pair.silent) to.destroy(); });
            from.on('error', () => {});
        }
    }

    /** Every connection breaks. */
    cut() {
        for (const { socket, server } of this.pairs) {
            socket.resetAndDestroy();
            server.resetAndDestroy();
        }
    }

    /** Every connection stays, and nothing goes through it any more. */
    hush() {
        for (const pair of this.pairs)
            pair.silent = true;
    }
}

/** Watch, in the page, what comes from others: the longest time without a packet of each, and all the page is told of the room. */
const WATCH = `(() => {
    const call = window.sluiceCall;
    const log = window.watched = { roster: [], states: [], gaps: {}, since: performance.now() };
    for (const type of ['participant', 'track'])
        call.addEventListener(type, ({ detail }) => log.roster.push(type + ' ' + (detail.change ?? (detail.media ? 'there' : 'gone'))));
    call.addEventListener('state', ({ detail }) => log.states.push(detail.state));
    clearInterval(window.watching);
    window.watching = setInterval(async () => {
        for (const receiver of call.peerConnection?.getReceivers() ?? []) {
            for (const s of (await receiver.getStats()).values()) {
                if (s.type !== 'inbound-rtp' || !s.packetsReceived)
                    continue;
                log.gaps[s.kind] = Math.max(log.gaps[s.kind] ?? 0, Math.round(s.timestamp - s.lastPacketReceivedTimestamp));
            }
        }
    }, ${POLL_MS});
    let n = 0;
    for (const element of document.querySelectorAll('audio, #grid .tile:not([data-key=you]) video'))
        element.marked = ++n;
    return n;
})()`;
const MARKED = `[...document.querySelectorAll('audio, #grid .tile:not([data-key=you]) video')].map((e) => e.marked ?? 0)`;
const idOf = (page) => page.evaluate(() => window.sluiceCall.you);
const watched = (page) => page.evaluate(() => window.watched);
const describe = (log) => `${JSON.stringify(log.gaps)} ${log.states} ${log.roster}`;

const noGap = (log, ms, who) => {
    for (const kind of ['audio', 'video'])
        check(log.gaps[kind] !== undefined && log.gaps[kind] <= ms, `${who}: ${kind} gap ${describe(log)}`);
};

let server, proxy, browser, ada, bob;

async function resumed(page, since) {
    await until(async () => (await watched(page)).states.slice(since).includes('reconnecting'), 'it is lost', 8000);
    await until(async () => (await pageState(page)) === 'connected', 'it is back', 8000);
}

/** The same server again, on the same ports. */
async function restart(old) {
    const again = new Process(join(build, 'sfu', 'sluice'), old.child.spawnargs.slice(1));
    again.http = old.http;
    await until(async () => (await fetch(`${old.http}/healthz`).catch(() => null))?.ok, `the server is back: ${again.err}`);
    return again;
}

await plan([
    ['a call of two, one behind a proxy', async () => {
        server = await startServer();
        proxy = await Proxy.make(server.port);
        browser = await startChromium({ tone: 500 });
        ada = await joinPage(browser, { http: `http://127.0.0.1:${proxy.port}` }, 'resume', 'Ada');
        bob = await joinPage(browser, server, 'resume', 'Bob');
        await connected(ada);
        await connected(bob);
        for (const page of [ada, bob])
            await until(() => page.evaluate(() => document.querySelectorAll('#grid .tile.has-video').length === 2), 'both see both');
        await sleep(2000);
    }],
    [`${CUTS} lost WebSockets: nobody notices`, async () => {
        const ids = [await idOf(ada), await idOf(bob)];
        const marked = await ada.evaluate(WATCH);
        await bob.evaluate(WATCH);
        check(marked === 2, `elements: ${marked}`);
        for (let i = 0; i < CUTS; i++) {
            const since = (await watched(ada)).states.length;
            proxy.cut();
            await resumed(ada, since);
            await sleep(Math.random() * 300);
        }
        const [atAda, atBob] = [await watched(ada), await watched(bob)];
        console.log(`# gaps at Ada: ${JSON.stringify(atAda.gaps)}, at Bob: ${JSON.stringify(atBob.gaps)}`);
        check(atBob.roster.length === 0 && atBob.states.length === 0, `Bob saw ${describe(atBob)}`);
        check(atAda.roster.length === 0, `Ada saw ${describe(atAda)}`);
        check(String(await ada.evaluate(MARKED)) === '1,2', 'her elements were replaced');
        check(await idOf(ada) === ids[0] && (await server.health()).participants === 2, 'ids');
        noGap(atAda, GAP_MS, 'at Ada');
        noGap(atBob, GAP_MS, 'at Bob');
    }],
    ['what happens meanwhile is told afterwards', async () => {
        const since = (await watched(ada)).states.length;
        proxy.refuses = true;
        proxy.cut();
        await until(async () => (await pageState(ada)) === 'reconnecting', 'it is lost');
        await bob.click('#mic');
        await ada.click('#mic'); // and what was asked for meanwhile is done
        await sleep(500);
        proxy.refuses = false;
        await resumed(ada, since);
        for (const [page, id] of [[ada, await idOf(bob)], [bob, await idOf(ada)]])
            await until(() => page.evaluate((key) => document.querySelector(`.tile[data-key="${key}"]`).classList.contains('muted'), id),
                'the other is muted');
        await bob.click('#mic');
        await ada.click('#mic');
    }],
    ['a WebSocket that is silent is replaced, though it is open', async () => {
        await bob.evaluate(WATCH);
        await ada.evaluate(WATCH);
        proxy.hush();
        await ada.evaluate(() => dispatchEvent(new Event('online'))); // what gives reason for doubt
        await resumed(ada, 0);
        const log = await watched(bob);
        check(log.roster.length === 0, `Bob saw ${describe(log)}`);
        check((await server.health()).participants === 2, 'two are there');
        noGap(await watched(ada), GAP_MS, 'at Ada');
    }],
    ['sluice-client resumes, and no sound is lost', async () => {
        const args = ['--send', 'tone:440', '--for', '6', '--stats', '--json', '--log-level', 'info'];
        const clients = [sluiceClient({ ws: `ws://127.0.0.1:${proxy.port}/ws` }, 'client', ['--name', 'cut', ...args]),
            sluiceClient(server, 'client', ['--name', 'other', ...args])];
        await until(() => clients.every((client) => /link: state=connected/.test(client.err)), 'both are there');
        for (let i = 1; i <= 5; i++) {
            proxy.cut();
            await until(() => clients[0].err.match(/ resumed: /g)?.length === i, `it is back, ${i}`, 5000);
        }
        for (const client of clients) {
            check(await client.wait() === 0, client.err);
            const { lost, concealed } = client.json().streams[0];
            check(lost === 0 && concealed < 200 * 48, `lost ${lost} packets, ${concealed} samples concealed`);
        }
        const refuses = sluiceClient({ ws: `ws://127.0.0.1:${proxy.port}/ws` }, 'client', ['--no-reconnect', ...args]);
        await until(() => /link: state=connected/.test(refuses.err), 'it is there');
        proxy.cut();
        check(await refuses.wait() === 1 && /connection was lost/.test(refuses.err), refuses.err);
    }],
    ['a server that is killed and starts again has all of them back', async () => {
        const ids = [await idOf(ada), await idOf(bob)];
        server.kill('SIGKILL');
        await server.wait();
        await until(async () => (await pageState(bob)) === 'reconnecting', 'Bob knows');
        await sleep(1000);
        const started = Date.now();
        server.again = await restart(server);
        await until(async () => (await server.health()).participants === 2, 'both are there', 15000);
        for (const page of [ada, bob]) {
            await connected(page);
            await until(() => page.evaluate(() => document.querySelectorAll('#grid .tile.has-video').length === 2), 'both see both');
        }
        console.log(`# back ${((Date.now() - started) / 1000).toFixed(1)} s after it was`);
        check(await idOf(ada) !== ids[0] && await idOf(bob) !== ids[1], 'they are others now');
    }],
    ['a server that stops in order has them rejoin', async () => {
        server.again.kill('SIGTERM');
        check(await server.again.wait(8000) === 0, 'it ends');
        server.again = await restart(server);
        await until(async () => (await server.health()).participants === 2, 'both are there', 15000);
        await connected(ada);
        await connected(bob);
    }],
    ['sluice-client joins a server anew that is killed and starts again', async () => {
        const own = await startServer();
        const args = ['--for', '10', '--stats', '--json', '--log-level', 'info'];
        const clients = [sluiceClient(own, 'anew', ['--name', 'sends', '--send', 'tone:440', ...args]),
            sluiceClient(own, 'anew', ['--name', 'hears', '--record', join(scratch, 'anew.wav'), ...args])];
        await until(() => clients.every((client) => /link: state=connected/.test(client.err)), 'both are there');
        own.kill('SIGKILL');
        await own.wait();
        await sleep(1000);
        const again = await restart(own);
        await until(() => clients.every((client) => /joined anew/.test(client.err)), 'both are there again', 8000);
        for (const client of clients)
            check(await client.wait() === 0, client.err);
        const { packets, lost } = clients[1].json().streams[0];
        check(packets > 50 && lost === 0, `${packets} packets after it, ${lost} lost`);
        again.kill();
        check(await again.wait(8000) === 0, 'it ends');
    }],
    ['a server that does not come back is given up with a word', async () => {
        const page = await joinPage(browser, { http: `http://127.0.0.1:${proxy.port}` }, 'other', 'Eve');
        await connected(page);
        await page.evaluate(() => { window.sluiceCall.giveUpMs = 1000; });
        proxy.refuses = true;
        proxy.cut();
        await until(async () => (await pageState(page)) === 'failed', 'Eve has given up');
        const text = await page.textContent('#banner');
        check(/could not be reached/.test(text), `banner says: ${text}`);
        proxy.refuses = false;
        await page.context().close();
    }],
    ['another address: media goes on within three seconds', async () => {
        const holder = new Process('unshare', ['-n', 'sleep', '300']);
        await until(() => execFileSync('readlink', [`/proc/${holder.pid}/ns/net`]).toString() !==
            execFileSync('readlink', ['/proc/self/ns/net']).toString(), 'a namespace');
        const inside = ['nsenter', `--net=/proc/${holder.pid}/ns/net`];
        const ip = (...args) => execFileSync('ip', args);
        const far = (...args) => execFileSync(inside[0], [inside[1], 'ip', ...args]);
        ip('link', 'add', 'near0', 'type', 'veth', 'peer', 'name', 'far0', 'netns', String(holder.pid));
        ip('addr', 'add', '10.97.0.1/16', 'dev', 'near0');
        ip('link', 'set', 'near0', 'up');
        far('link', 'set', 'lo', 'up');
        far('addr', 'add', '10.97.1.1/16', 'dev', 'far0');
        far('link', 'set', 'far0', 'up');
        far('route', 'add', 'default', 'via', '10.97.0.1');
        const other = await startServer([], [], '0.0.0.0');
        const origin = `http://10.97.0.1:${other.port}`;
        const away = await startChromium({ tone: 700, wrapper: inside, trusted: origin });
        const eve = await joinPage(away, { http: origin }, 'move', 'Eve');
        const carol = await joinPage(browser, other, 'move', 'Carol');
        await connected(eve);
        await connected(carol);
        for (const page of [eve, carol])
            await until(() => page.evaluate(() => document.querySelectorAll('#grid .tile.has-video').length === 2), 'both see both');
        await sleep(3000);
        await eve.evaluate(WATCH);
        await carol.evaluate(WATCH);
        const id = await idOf(eve);
        far('addr', 'del', '10.97.1.1/16', 'dev', 'far0');
        far('addr', 'add', '10.97.1.2/16', 'dev', 'far0');
        far('route', 'replace', 'default', 'via', '10.97.0.1');
        await sleep(5000);
        await until(async () => (await pageState(eve)) === 'connected', 'Eve is back');
        const [atEve, atCarol] = [await watched(eve), await watched(carol)];
        console.log(`# gaps at Eve: ${JSON.stringify(atEve.gaps)}, at Carol: ${JSON.stringify(atCarol.gaps)}`);
        check(await idOf(eve) === id, 'Eve is the same');
        check(!atCarol.roster.some((event) => event.startsWith('participant')), `Carol saw ${describe(atCarol)}`);
        noGap(atEve, NETWORK_GAP_MS, 'at Eve');
        noGap(atCarol, NETWORK_GAP_MS, 'at Carol');
    }],
]);
