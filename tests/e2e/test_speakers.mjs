/** Fewer streams than people: who speaks is heard, from the first word on, and shown. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { check, connected, here, joinPage, near, plan, readTones, scratch, sleep, sluiceClient, startChromium, startServer,
    until } from './harness.mjs';

let server, ada, silent;
const compare = (...args) => JSON.parse(execFileSync('/usr/bin/python3', [join(here, 'audio_compare.py'), ...args]));
const speech = join(scratch, 'words.wav');
const speakers = () => ada.$$eval('#grid .tile.speaking', (tiles) => tiles.map((tile) => tile.textContent));

async function hears(frequency, name) {
    const client = sluiceClient(server, 'crowd', ['--name', name, '--send', `tone:${frequency}`, '--for', '12']);
    await until(async () => (await speakers()).some((text) => text.includes(name)), `${name} is shown as speaking`);
    const tones = await readTones(ada);
    check(tones.length === 1, `one voice sounds, got ${JSON.stringify(tones)}`);
    near(tones[0], frequency, 5, `the tone of ${name} [Hz]`);
    check(await client.wait() === 0, `${name}: ${client.err}`);
}

await plan([
    ['of four who send and one stream for each, the one who sounds is heard and shown', async () => {
        server = await startServer(['--max-audio-streams', '1']);
        const browser = await startChromium();
        ada = await joinPage(browser, server, 'crowd', 'Ada');
        await connected(ada);
        await ada.click('#mic'); // she only listens
        silent = ['one', 'two', 'three'].map((name) => sluiceClient(server, 'crowd', ['--name', name, '--send', 'silence']));
        await sleep(2000);
        await hears(600, 'Bob');
    }],
    ['another one who sounds takes the stream over', async () => {
        await hears(900, 'Eve');
        await until(async () => (await speakers()).length === 0, 'nobody is shown as speaking');
    }],
    ['every word of who takes a stream over arrives', async () => {
        execFileSync('espeak-ng', ['-w', speech, '-s', '150', 'Every single word of this should be heard, the first one, too.']);
        const listener = sluiceClient(server, 'crowd', ['--name', 'listener', '--slots', '1', '--record', join(scratch, 'heard.wav'),
            '--for', '14']);
        await sleep(3000);
        const speaker = sluiceClient(server, 'crowd', ['--name', 'speaker', '--send', speech, '--for', '8']);
        check(await speaker.wait() === 0, `speaker: ${speaker.err}`);
        check(await listener.wait() === 0, `listener: ${listener.err}`);
        const { correlation } = compare('correlate', speech, join(scratch, 'heard.wav'));
        check(correlation > 0.85, `correlation ${correlation}`);
    }],
    ['silence was not sent on', async () => {
        const metrics = await (await fetch(`${server.http}/metrics`)).text();
        const left = Number(/^sluice_silence_left_out_total\S* (\d+)$/m.exec(metrics)?.[1] ?? 0);
        check(left > 500, `packets left out: ${left}`);
        for (const client of silent)
            client.kill('SIGINT');
        await Promise.all(silent.map((client) => client.wait()));
    }],
]);
