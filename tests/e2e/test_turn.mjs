/** Calls over a TURN server, with what the sluice server tells of it: over UDP, TCP and TLS, and with UDP blocked. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, check, connected, Firefox, frameRates, freePort, here, joinPage, near, plan, Process, READ_STATS, readTones, scratch,
    sluiceClient, startChromium, startServer, until } from './harness.mjs';

const SECRET = 'a secret of relay and server';
const RELAY_PORTS = '61000-61200'; // of which neither freePort() nor the kernel takes any
const folder = join(scratch, 'turn');
const turn = { plain: freePort(2), tls: freePort(2) }; // with two addresses, coturn takes the ports behind, too
const url = {
    udp: `turn:10.99.0.1:${turn.plain}?transport=udp`, // Firefox takes no relay on loopback
    tcp: `turn:10.99.0.1:${turn.plain}?transport=tcp`,
    tls: `turns:localhost:${turn.tls}`,
};
let browser;

/** A certificate authority, and what it says of "localhost" (the name only: not the address). */
function makeCertificates() {
    const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    mkdirSync(folder, { recursive: true });
    openssl('req', '-x509', ...key, '-subj', '/CN=Test CA', '-keyout', 'ca.key', '-out', 'ca.pem');
    openssl('req', ...key.slice(0, -2), '-subj', '/CN=localhost', '-keyout', 'turn.key', '-out', 'turn.csr');
    writeFileSync(join(folder, 'turn.ext'), 'subjectAltName=DNS:localhost\n');
    openssl('x509', '-req', '-in', 'turn.csr', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2',
        '-extfile', 'turn.ext', '-out', 'turn.pem');
}

/** As docs/TURN.md has it, but on loopback. */
async function startCoturn() {
    writeFileSync(join(folder, 'turnserver.conf'), ['use-auth-secret', `static-auth-secret=${SECRET}`, 'realm=sluice.test',
        'listening-ip=127.0.0.1', 'listening-ip=10.99.0.1', 'relay-ip=10.99.0.1', `listening-port=${turn.plain}`, `tls-listening-port=${turn.tls}`,
        `min-port=${RELAY_PORTS.split('-')[0]}`, `max-port=${RELAY_PORTS.split('-')[1]}`, 'allow-loopback-peers', 'no-cli', 'no-dtls',
        `cert=${join(folder, 'turn.pem')}`, `pkey=${join(folder, 'turn.key')}`, `userdb=${join(folder, 'db')}`,
        `pidfile=${join(folder, 'pid')}`, 'log-file=stdout', 'simple-log', ''].join('\n'));
    const coturn = new Process('turnserver', ['-c', join(folder, 'turnserver.conf')]);
    const answers = (port) => { // a TCP connection in this namespace
        try {
            execFileSync('bash', ['-c', `exec 3<>/dev/tcp/127.0.0.1/${port}`], { stdio: 'ignore' });
            return true;
        } catch {
            return false;
        }
    };
    await until(() => answers(turn.plain) && answers(turn.tls), `coturn listens: ${coturn.out}`);
    return coturn;
}

const serverWith = (urls, args = []) => startServer([...urls.flatMap((u) => ['--ice-servers', u]), '--turn-secret', SECRET, ...args]);

/** The path that is in use, as the browser has it. */
const READ_PATH = `(async () => {
    const stats = [...(await window.sluiceCall.peerConnection.getStats()).values()];
    const pair = stats.find((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded');
    const local = pair && stats.find((s) => s.id === pair.localCandidateId);
    return { type: local?.candidateType, over: local?.relayProtocol };
})()`;

/** Statistics name the pair a little after the page says that it is connected. */
async function usesRelay(read, over) {
    const { type, over: transport } = await until(async () => {
        const path = await read();
        return path.type && path;
    }, 'there is a path', 5000);
    check(type === 'relay' && transport === over, `the path is ${type} over ${transport}`);
}

async function relayed(over, { server, options = '&relay=1', room = over } = {}) {
    server ??= await serverWith([url[over]]);
    const ada = await joinPage(browser, server, `${room}${options}`, 'Ada');
    const bob = await joinPage(browser, server, `${room}${options}`, 'Bob');
    await Promise.all([connected(ada), connected(bob)]);
    for (const [page, other] of [[ada, 'Bob'], [bob, 'Ada']]) {
        await usesRelay(() => page.evaluate(READ_PATH), over);
        await until(async () => (await page.evaluate(READ_STATS)).tiles[other]?.frames > 20, `${other} is seen`);
    }
    const [seen, sent] = await Promise.all([ada, bob].map((page) => frameRates(() => page.evaluate(READ_STATS), 2500)));
    check(sent.sent > 5 && seen.Bob > 0.75 * sent.sent, `Ada decodes ${seen.Bob} of ${sent.sent} frames/s of Bob`);
    near((await readTones(bob))[0], 660, 3, 'tone that Bob hears [Hz]');
    for (const page of [ada, bob])
        await page.context().close();
    server.kill();
}

const compare = (...args) => JSON.parse(execFileSync('/usr/bin/python3', [join(here, 'audio_compare.py'), ...args]));

/** Two clients that send and hear a tone over the relay the server tells of. */
async function relayedClients(over, { server, args = ['--relay-only'] } = {}) {
    server ??= await serverWith([url[over]]);
    const wav = join(scratch, `relay-${over}.wav`);
    args = [...args, '--ca', join(folder, 'ca.pem')];
    const sender = sluiceClient(server, over, ['--name', 'sender', '--send', 'tone:650', '--for', '6', ...args]);
    const listener = sluiceClient(server, over, ['--name', 'listener', '--send', 'silence', '--record', wav, '--for', '5',
        '--stats', '--json', ...args]);
    check(await listener.wait() === 0, `listener: ${listener.err}`);
    check(await sender.wait() === 0, `sender: ${sender.err}`);
    near(compare('tone', wav).frequency, 650, 3, 'tone through the relay [Hz]');
    const { local, transport } = listener.json();
    check(local === 'relay' && transport === over, `the path is ${local} over ${transport}`);
    server.kill();
}

/** Run `sluice doctor --turn` with the relays of this test. */
async function doctor(server, secret) {
    const port = server?.port ?? freePort();
    const run = new Process(join(build, 'sfu', 'sluice'), ['doctor', '--turn', '--json', '--ca', join(folder, 'ca.pem'), '--workers', '1',
        '--listen', `127.0.0.1:${port}`, '--udp-port', String(server?.udp ?? freePort()), '--turn-secret', secret,
        ...Object.values(url).flatMap((u) => ['--ice-servers', u])]);
    const status = await run.wait();
    return { status, lines: run.out.trim().split('\n').map((line) => JSON.parse(line)) };
}

const block = (server) => `table inet block {
    chain out { type filter hook output priority 0;
        udp sport ${RELAY_PORTS} accept
        udp dport ${RELAY_PORTS} accept
        meta l4proto udp drop
        tcp dport { ${[turn.plain, server?.udp].filter(Boolean).join(', ')} } drop
    }
}`;

/** Run `f` where no UDP gets through, nor TCP but to the relay's TLS and the server's HTTP. */
async function blocked(server, f) {
    execFileSync('nft', ['-f', '-'], { input: block(server) });
    try {
        await f();
    } finally {
        execFileSync('nft', ['delete', 'table', 'inet', 'block']);
    }
}

await plan([
    ['Chromium over UDP', async () => {
        makeCertificates();
        await startCoturn();
        browser = await startChromium({ tone: 660, extra: ['--ignore-certificate-errors'] });
        await relayed('udp');
    }],
    ['Chromium over TCP', () => relayed('tcp')],
    ['Chromium over TLS', () => relayed('tls')],
    ['Firefox over UDP and TCP', async () => {
        const firefox = await Firefox.start();
        for (const over of ['udp', 'tcp']) {
            const server = await serverWith([url[over]]);
            const ada = await joinPage(browser, server, over, 'Ada');
            await firefox.goto(`${server.http}/?room=${over}&name=Firefox&join=1&relay=1`);
            await until(() => firefox.evaluate(`document.getElementById('status').dataset.state === 'connected'`),
                'Firefox is connected');
            await until(async () => (await firefox.evaluate(READ_STATS)).tiles.Ada?.frames > 20, 'Firefox decodes Ada');
            await usesRelay(() => firefox.evaluate(READ_PATH), over);
            await until(async () => (await ada.evaluate(READ_STATS)).tiles.Firefox?.frames > 20, 'Ada decodes Firefox');
            await ada.context().close();
            server.kill();
        }
    }],
    ['with all UDP and the plain port blocked, a page that joins gets through by TLS in one go', async () => {
        const server = await serverWith(Object.values(url), ['--tcp-port', 'no']);
        await blocked(server, () => relayed('tls', { server, options: '', room: 'blocked' }));
    }],
    ['sluice-client over UDP, TCP and TLS', () => Promise.all(Object.keys(url).map((over) => relayedClients(over)))],
    ['and with all UDP and the plain port blocked', async () => {
        const server = await serverWith(Object.values(url), ['--tcp-port', 'no']);
        await blocked(server, () => relayedClients('tls', { server, args: [] }));
    }],
    ['sluice-client says what is wrong with a certificate, and takes it if told to', async () => {
        const server = await serverWith([url.tls]);
        const args = ['--send', 'tone:440', '--relay-only', '--for'];
        const strict = sluiceClient(server, 'strict', [...args, '20']);
        const trusting = sluiceClient(server, 'trusting', [...args, '3', '--insecure']);
        check(await trusting.wait() === 0, `--insecure: ${trusting.err}`);
        check(await strict.wait() === 1, 'exit status 1');
        check(/no TLS connection to localhost: its certificate is not accepted/.test(strict.err), strict.err);
        server.kill();
    }],
    ['the doctor finds each relay well, beside a server that runs', async () => {
        const server = await serverWith(Object.values(url));
        const { status, lines } = await doctor(server, SECRET);
        check(status === 0, `exit status ${status}: ${JSON.stringify(lines)}`);
        const relays = lines.filter(({ topic }) => topic.startsWith('TURN'));
        check(relays.length === 3 && relays.every(({ level, message }) => level === 'OK' && /here and back/.test(message)),
            JSON.stringify(relays));
        check(lines.some(({ topic, message }) => topic.startsWith('HTTP') && /sluice that runs/.test(message)), JSON.stringify(lines));
        server.kill();
    }],
    ['and says what is wrong with a secret, and where no datagram comes through', async () => {
        const wrong = await doctor(null, 'another secret');
        const relays = wrong.lines.filter(({ topic }) => topic.startsWith('TURN'));
        check(wrong.status === 1 && relays.every(({ level, message }) => level === 'FAIL' && /401/.test(message)), JSON.stringify(relays));
        await blocked(null, async () => {
            const { status, lines } = await doctor(null, SECRET);
            const levels = lines.filter(({ topic }) => topic.startsWith('TURN')).map(({ level }) => level);
            check(status === 1 && levels.join() === 'FAIL,FAIL,OK', JSON.stringify(lines));
        });
    }],
]);
