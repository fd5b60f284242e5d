/** sluice-client: speech through a room that two Chromium tabs share, tones, errors, TURN. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atEnd, check, connected, frameRates, freePort, here, joinPage, near, plan, Process, READ_STATS, scratch,
    sleep, sluiceClient, startChromium, startServer, until } from './harness.mjs';

let server;
const compare = (...args) => JSON.parse(execFileSync('/usr/bin/python3', [join(here, 'audio_compare.py'), ...args]));
const speech = join(scratch, 'speech.wav');

async function coturn() {
    const port = freePort();
    const conf = join(scratch, 'turnserver');
    mkdirSync(conf, { recursive: true });
    const turn = new Process('turnserver', ['-n', '-a', '--lt-cred-mech', '--user=test:secret', '--realm=sluice',
        '--listening-ip=127.0.0.1', '--relay-ip=127.0.0.1', `--listening-port=${port}`, '--min-port=61400', '--max-port=61500',
        '--allow-loopback-peers', '--no-cli', '--no-tls', '--no-dtls', `--userdb=${join(conf, 'db')}`,
        `--pidfile=${join(conf, 'pid')}`, '--log-file=stdout']);
    await sleep(1500);
    check(turn.status === undefined, `coturn ended: ${turn.out} ${turn.err}`);
    return port;
}

async function relayed(transport) {
    const port = await coturn();
    const args = ['--turn', `turn:127.0.0.1:${port}?transport=${transport}`, '--turn-user', 'test', '--turn-pass', 'secret',
        '--relay-only'];
    const out = join(scratch, `relay-${transport}.wav`);
    const sender = sluiceClient(server, `turn-${transport}`, ['--name', 'sender', '--send', 'tone:650', '--for', '10', ...args]);
    const listener = sluiceClient(server, `turn-${transport}`, ['--name', 'listener', '--send', 'silence', '--record', out, '--for', '8',
        '--stats', '--json', ...args]);
    check(await listener.wait() === 0, `listener: ${listener.err}`);
    check(await sender.wait() === 0, `sender: ${sender.err}`);
    near(compare('tone', out).frequency, 650, 3, 'tone through the relay [Hz]');
    check(/relay/.test(listener.out), `statistics name the relay candidate: ${listener.out.slice(-500)}`);
}

/** Key frames of 320x240 each second, 30 frames a second: whole enough for who does not decode them. */
function writeVideo(path) {
    const header = Buffer.alloc(32);
    header.write('DKIF');
    header.writeUInt16LE(32, 6);
    header.write('VP80', 8);
    header.writeUInt16LE(320, 12);
    header.writeUInt16LE(240, 14);
    header.writeUInt32LE(30, 16);
    header.writeUInt32LE(1, 20);
    const frames = Array.from({ length: 90 }, (_, i) => {
        const frame = Buffer.alloc(12 + 900);
        frame.writeUInt32LE(900, 0);
        frame.writeUInt32LE(i, 4);
        Buffer.from([i % 30 ? 0x11 : 0x10, 2, 0, 0x9d, 1, 0x2a, 64, 1, 240, 0]).copy(frame, 12);
        return frame;
    });
    writeFileSync(path, Buffer.concat([header, ...frames]));
}

await plan([
    ['speech arrives recognisably the same while two tabs show each other\'s picture', async () => {
        execFileSync('espeak-ng', ['-w', speech, '-s', '150', 'Good morning everybody. This is a call through a selective '
            + 'forwarding unit. The quick brown fox jumps over the lazy dog, and every word of it should be understood.']);
        server = await startServer();
        const browser = await startChromium();
        const ada = await joinPage(browser, server, 'speech', 'Ada');
        const bob = await joinPage(browser, server, 'speech', 'Bob');
        await Promise.all([connected(ada), connected(bob)]);
        for (const page of [ada, bob])
            await page.click('#mic'); // only the speech sounds
        const listener = sluiceClient(server, 'speech', ['--name', 'listener', '--record-each', join(scratch, 'each'), '--for', '16']);
        await sleep(2000);
        const speaker = sluiceClient(server, 'speech', ['--name', 'speaker', '--send', speech, '--for', '13']);
        await sleep(4000);
        const [a, b] = await Promise.all([ada, bob].map((page) => frameRates(() => page.evaluate(READ_STATS))));
        check(await speaker.wait() === 0, `speaker: ${speaker.err}`);
        check(await listener.wait() === 0, `listener: ${listener.err}`);
        const file = readdirSync(join(scratch, 'each')).find((name) => /speaker/.test(name));
        check(file, `recorded: ${readdirSync(join(scratch, 'each'))}`);
        const { correlation } = compare('correlate', speech, join(scratch, 'each', file));
        check(correlation > 0.9, `correlation ${correlation}`);
        near(a.Bob, b.sent, 0.1 * b.sent, 'frames/s Ada decodes of Bob');
        near(b.Ada, a.sent, 0.1 * a.sent, 'frames/s Bob decodes of Ada');
        await ada.context().close();
        await bob.context().close();
    }],
    ['three clients hear each other\'s tones, each in a file of its own', async () => {
        const tones = { one: 400, two: 700, three: 1000 };
        const clients = Object.entries(tones).map(([name, tone]) => sluiceClient(server, 'tones', ['--name', name,
            '--send', `tone:${tone}`, '--record-each', join(scratch, `by-${name}`), '--record', join(scratch, `${name}.wav`), '--for', '8']));
        for (const client of clients)
            check(await client.wait() === 0, client.err);
        for (const name of Object.keys(tones))
            for (const [other, tone] of Object.entries(tones).filter(([n]) => n !== name)) {
                const file = readdirSync(join(scratch, `by-${name}`)).find((f) => f.startsWith(other));
                check(file, `${name} recorded ${other}`);
                near(compare('tone', join(scratch, `by-${name}`, file)).frequency, tone, 3, `${other} heard by ${name} [Hz]`);
            }
    }],
    ['relay-only through coturn over UDP', () => relayed('udp')],
    ['relay-only through coturn over TCP', () => relayed('tcp')],
    ['video is sent while somebody wants it, and paused for who does not', async () => {
        const video = join(scratch, 'numbers.ivf');
        writeVideo(video);
        const last = (client) => { // whole lines only
            const line = client.out.split('\n').slice(0, -1).at(-1);
            return line && JSON.parse(line);
        };
        const json = ['--stats', '--json'];
        const publisher = sluiceClient(server, 'wanted', ['--name', 'publisher', '--video', video, '--for', '30', ...json]);
        await until(() => last(publisher)?.sent.paused, 'nobody is there: it pauses', 10000);
        const before = last(publisher).sent.packets;
        const viewer = sluiceClient(server, 'wanted', ['--name', 'viewer', '--receive-video', '--for', '5', ...json]);
        check(await viewer.wait() === 0, viewer.err);
        const { frames, key_frames: keyFrames, width } = last(viewer).streams.find(({ kind }) => kind === 'video');
        check(frames > 45 && keyFrames >= 2 && width === 320, `the viewer sees it: ${frames}, ${keyFrames}, ${width}`);
        check(last(publisher).sent.packets > before + 45, 'it was sent again');
        const blind = sluiceClient(server, 'wanted', ['--name', 'blind', '--receive-video', '--view', 'none', '--for', '5', ...json]);
        check(await blind.wait() === 0, blind.err);
        check(last(blind).streams.every(({ kind, frames: n }) => kind !== 'video' || n < 30), 'who wants none gets none');
        check(last(publisher).sent.paused, 'and it pauses again');
        publisher.kill();
    }],
    ['without a server: exit 1 and one line that says why', async () => {
        const client = new Process(join(process.env.SLUICE_BUILD, 'client', 'sluice-client'),
            ['--server', `ws://127.0.0.1:${freePort()}/ws`, '--room', 'x', '--send', 'silence', '--for', '3']);
        check(await client.wait() === 1, 'exit status 1');
        check(/refused/.test(client.err), client.err);
    }],
    ['with UDP blocked: exit 1 and the reason', async () => {
        const blocked = await startServer(['--advertise', '127.0.0.1']);
        execFileSync('nft', ['-f', '-'], { input: `table inet block {
            chain in { type filter hook input priority 0;
                udp dport ${blocked.udp} drop
            }
        }` });
        const client = sluiceClient(blocked, 'x', ['--send', 'tone:440', '--for', '30']);
        const status = await client.wait(60000);
        execFileSync('nft', ['delete', 'table', 'inet', 'block']);
        check(status === 1, `exit status ${status}`);
        check(client.err.trim().length > 20, client.err);
    }],
]);
