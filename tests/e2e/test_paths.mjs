/** Ways to the server: media over TCP where UDP is blocked, over IPv6, and a network that changes in a call. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, connected, Firefox, frameRates, freePort, here, joinPage, near, plan, Process, READ_STATS, readTones, root, scratch, sluiceClient,
    startChromium, startServer, until } from './harness.mjs';

const IPV6 = 'fd99::1';
let browser;
const compare = (...args) => JSON.parse(execFileSync('/usr/bin/python3', [join(here, 'audio_compare.py'), ...args]));

const BLOCK = `table inet block {
    chain out { type filter hook output priority 0;
        meta l4proto udp drop
    }
}`;

/** Run `f` where no UDP gets through. */
async function withoutUdp(f) {
    execFileSync('nft', ['-f', '-'], { input: BLOCK });
    try {
        await f();
    } finally {
        execFileSync('nft', ['delete', 'table', 'inet', 'block']);
    }
}

/** The path that is in use, as a browser has it. */
const READ_PATH = `(async () => {
    const stats = [...(await window.sluiceCall.peerConnection.getStats()).values()];
    const pair = stats.find((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded');
    const remote = pair && stats.find((s) => s.id === pair.remoteCandidateId);
    return { protocol: remote?.protocol, address: remote?.address, port: remote?.port };
})()`;

/** Two pages and two clients see and hear each other; every browser's path `is` what it should be. */
async function talk(server, room, is) {
    const ada = await joinPage(browser, server, room, 'Ada');
    const bob = await joinPage(browser, server, room, 'Bob');
    await Promise.all([connected(ada), connected(bob)]);
    for (const page of [ada, bob]) {
        const path = await page.evaluate(READ_PATH);
        check(is(path), `the path is ${JSON.stringify(path)}`);
    }
    await until(async () => (await ada.evaluate(READ_STATS)).tiles.Bob?.frames > 20, 'Bob is seen');
    const rates = await frameRates(() => ada.evaluate(READ_STATS), 3000);
    check(rates.Bob > 15, `Ada decodes ${rates.Bob} frames/s of Bob`);
    near((await readTones(bob))[0], 660, 3, 'tone that Bob hears [Hz]');
    for (const page of [ada, bob])
        await page.context().close();
}

async function talkClients(server, room, args, is) {
    const wav = join(scratch, `${room}.wav`);
    const sender = sluiceClient(server, room, ['--name', 'sender', '--send', 'tone:650', '--for', '7', ...args]);
    const listener = sluiceClient(server, room, ['--name', 'listener', '--send', 'silence', '--record', wav, '--for', '5',
        '--stats', '--json', ...args]);
    check(await listener.wait() === 0, `listener: ${listener.err}`);
    check(await sender.wait() === 0, `sender: ${sender.err}`);
    near(compare('tone', wav).frequency, 650, 3, 'tone that the listener hears [Hz]');
    check(is(listener.json()), `the path of the client: ${listener.out.trim().split('\n').at(-1)}`);
}

const metric = async (server, name) => {
    const text = await (await fetch(`http://localhost:${server.port}/metrics`)).text();
    return text.split('\n').filter((line) => line.startsWith(`sluice_${name}{`)).reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
};

await plan([
    ['with UDP blocked, Chromium talks over TCP with two workers behind one port', async () => {
        browser = await startChromium({ tone: 660 });
        const server = await startServer(['--workers', '2', '--room-spread', '1', '--advertise', '10.99.0.1']);
        await withoutUdp(async () => {
            await talk(server, 'tcp', ({ protocol, port }) => protocol === 'tcp' && port === server.udp);
        });
        check(await metric(server, 'tcp_accepted_total') >= 2, 'connections are counted');
        await until(async () => await metric(server, 'tcp_paths') === 0, 'and closed when their participants are gone');
        server.kill();
    }],
    ['and so does sluice-client', async () => {
        const server = await startServer(['--advertise', '10.99.0.1']);
        await withoutUdp(() => talkClients(server, 'tcp-clients', ['--ice-tcp'], ({ transport }) => transport === 'tcp'));
        server.kill();
    }],
    ['and Firefox, told to try TCP', async () => {
        const server = await startServer(['--advertise', '10.99.0.1']);
        const firefox = await Firefox.start({ 'media.peerconnection.ice.tcp': true });
        await withoutUdp(async () => {
            const ada = await joinPage(browser, server, 'tcp', 'Ada');
            await firefox.goto(`${server.http}/?room=tcp&name=Firefox&join=1`);
            await until(() => firefox.evaluate(`document.getElementById('status').dataset.state === 'connected'`),
                'Firefox is connected', 30000);
            await until(async () => (await firefox.evaluate(READ_STATS)).tiles.Ada?.frames > 20, 'Firefox decodes Ada');
            const { protocol } = await firefox.evaluate(READ_PATH);
            check(protocol === 'tcp', `the path of Firefox is ${protocol}`);
            await until(async () => (await ada.evaluate(READ_STATS)).tiles.Firefox?.frames > 20, 'Ada decodes Firefox');
            await ada.context().close();
        });
        firefox.process.kill();
        server.kill();
    }],
    ['what a STUN server sees of the media socket is told to clients', async () => {
        const port = freePort(2);
        const coturn = new Process('turnserver', ['-n', '--stun-only', '--listening-ip=127.0.0.1', `--listening-port=${port}`, '--no-cli',
            '--no-tls', '--no-dtls', '--no-tcp', `--userdb=${join(scratch, 'db')}`, `--pidfile=${join(scratch, 'pid')}`, '--log-file=stdout']);
        const server = await startServer(['--advertise', `stun:localhost:${port}`]);
        await until(() => server.err.includes(`seen by stun: worker=0 address=127.0.0.1:${server.udp}`), `it is seen: ${server.err}`);
        const answer = await fetch(`${server.http}/whep/stun`, { method: 'POST', headers: { 'content-type': 'application/sdp' },
            body: readFileSync(join(root, 'tests', 'data', 'chromium-whep.sdp')) });
        const sdp = await answer.text();
        check(new RegExp(`candidate:\\d+ 1 udp \\d+ 127.0.0.1 ${server.udp} typ srflx raddr`).test(sdp), `a candidate of it: ${sdp}`);
        check(/udp \d+ 10.99.0.1 \d+ typ host/.test(sdp), 'and of the interface');
        coturn.kill();
        server.kill();
    }],
    ['over IPv6 Chromium and sluice-client talk', async () => {
        execFileSync('ip', ['-6', 'addr', 'add', `${IPV6}/64`, 'dev', 'private0', 'nodad']);
        const server = await startServer(['--advertise', IPV6]);
        await talk(server, 'ipv6', ({ protocol, address }) => protocol === 'udp' && address === IPV6);
        await talkClients(server, 'ipv6-clients', [], () => true);
        server.kill();
    }],
]);
