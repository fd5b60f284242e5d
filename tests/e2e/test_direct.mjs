/** Direct calls: a room for two, a third who moves it to the server, and calls by participant with all their endings. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { check, connected, here, joinPage as openPage, near, pageState, plan, scratch,
    sleep, sluiceClient, startChromium, startServer, until } from './harness.mjs';

const TONE = 523;
/* A small picture: up to six are encoded at a time. */
const CAMERA = { width: 320, height: 180, frameRate: 15 };
const joinPage = (browser, server, room, name) => openPage(browser, server, room, name, undefined, 'light', CAMERA);

let server, browser, ada, bob, eve;

/** What a page sends and gets peer to peer; null: nothing. */
const direct = (page) => page.evaluate(async () => {
    const pc = window.sluiceCall.directConnection;
    if (!pc)
        return null;
    const stats = [...(await pc.getStats()).values()];
    const pair = stats.find((s) => s.type === 'candidate-pair' && s.nominated && s.state === 'succeeded');
    const remote = stats.find((s) => s.id === pair?.remoteCandidateId);
    const video = stats.find((s) => s.type === 'inbound-rtp' && s.kind === 'video');
    return { port: remote?.port, frames: video?.framesDecoded ?? 0 };
});

/** Strongest frequency [Hz] of what a page plays; 0: silence. */
const heard = (page) => page.evaluate(async () => {
    const element = [...document.querySelectorAll('audio')].find((e) => !e.muted && e.srcObject?.getAudioTracks().length);
    if (!element)
        return 0;
    const context = new AudioContext();
    await context.resume();
    const analyser = new AnalyserNode(context, { fftSize: 32768, smoothingTimeConstant: 0 });
    context.createMediaStreamSource(element.srcObject).connect(analyser);
    await new Promise((done) => setTimeout(done, 1500));
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const best = bins.reduce((b, v, i) => (v > bins[b] ? i : b), 0);
    await context.close();
    return bins[best] > -70 ? Math.round(best * context.sampleRate / analyser.fftSize) : 0;
});

/** Packets that the server has forwarded. */
async function forwarded() {
    const text = await (await fetch(`${server.http}/metrics`)).text();
    return text.split('\n').filter((line) => /^sluice_(rtp_out|rtp_in|packets)[a-z_]*(\{|\s)/.test(line))
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

const toneOf = (file) => JSON.parse(execFileSync('/usr/bin/python3', [join(here, 'audio_compare.py'), 'tone', file])).frequency;
const showsPicture = (page) => page.$$eval('#grid .tile.has-video:not(.own)', (tiles) => tiles.length);
const callingText = (page) => page.$eval('#calling:not([hidden]) p', (p) => p.textContent).catch(() => '');
const says = (page, words, who) => until(async () => (await callingText(page)).includes(words), `${who} reads "${words}"`);

/** From now on remember for how long the picture of Ada or Bob stood still at most. */
const watchGaps = (page) => page.evaluate(() => {
    const tile = document.querySelector('#grid .tile:not(.own)');
    const gaps = window.gaps = { longest: 0, frames: 0, last: performance.now() };
    const watched = new Set();
    const watch = () => {
        const video = tile.querySelector('video');
        const look = (now) => {
            gaps.longest = Math.max(gaps.longest, now - gaps.last);
            gaps.last = Math.max(gaps.last, now);
            gaps.frames++;
            video.requestVideoFrameCallback(look);
        };
        if (!watched.has(video))
            video.requestVideoFrameCallback(look);
        watched.add(video);
    };
    watch();
    new MutationObserver(watch).observe(tile, { childList: true });
});
const gaps = (page) => page.evaluate(() => ({ ...window.gaps, now: performance.now() - window.gaps.last }));

await plan([
    ['two in a room of mode direct see each other, peer to peer', async () => {
        server = await startServer(['--call-timeout-s', '6']);
        browser = await startChromium({ tone: TONE });
        ada = await joinPage(browser, server, 'tea&mode=direct', 'Ada');
        await connected(ada);
        bob = await joinPage(browser, server, 'tea&mode=direct', 'Bob');
        for (const page of [ada, bob]) {
            await until(async () => (await direct(page))?.frames > 15, 'the other one is decoded');
            await connected(page);
            check(await showsPicture(page) === 1, 'one tile has a picture');
        }
        const { port } = await direct(ada);
        check(port < server.udp || port > server.udp + 3, `the path does not end at the server: port ${port}`);
    }],
    ['they hear each other, and the server forwards nothing', async () => {
        for (const page of [ada, bob])
            near(await heard(page), TONE, 3, 'tone [Hz]');
        check(await forwarded() === 0, 'no packet was forwarded');
        check((await server.health()).on_worker[0] === 0, 'nobody has a worker');
        check(await ada.evaluate(() => window.sluiceCall.peerConnection === null), 'no connection to the server');
    }],
    ['mute is told to the other one', async () => {
        await ada.click('#mic');
        await until(async () => (await bob.$$('#grid .tile.muted')).length === 1, 'Bob sees Ada muted');
        check(await heard(bob) === 0, 'Bob hears nothing');
        await ada.click('#mic');
        await until(async () => (await bob.$$('#grid .tile.muted')).length === 0, 'Bob sees Ada unmuted');
    }],
    ['a third moves the call to the server, without a new page or a long gap', async () => {
        await ada.evaluate(() => { window.marker = 'same page'; });
        for (const page of [ada, bob])
            await watchGaps(page);
        eve = await joinPage(browser, server, 'tea', 'Eve');
        await connected(eve);
        for (const page of [ada, bob]) {
            await until(async () => await showsPicture(page) === 2, 'two others are seen');
            await until(async () => await direct(page) === null, 'the direct connection is closed');
        }
        await until(async () => await showsPicture(eve) === 2, 'Eve sees both');
        await sleep(2000);
        for (const page of [ada, bob]) {
            const { longest, frames, now } = await gaps(page);
            console.log(`# longest gap ${Math.round(longest)} ms in ${frames} frames`);
            check(frames > 20, `${frames} frames were shown`);
            check(longest < 2000, `longest gap ${longest} ms`); // 100 to 700 where the machine has time for it
            check(now < 1000, 'frames still come');
            near(await heard(page), TONE, 3, 'tone [Hz]');
        }
        check(await ada.evaluate(() => window.marker) === 'same page', 'the page is the same');
        check((await server.health()).on_worker[0] === 3, 'all are on the worker');
        await Promise.all([ada, bob, eve].map((page) => page.context().close()));
    }],
    ['in a room without media one calls the other', async () => {
        ada = await joinPage(browser, server, 'office&mode=presence', 'Ada');
        bob = await joinPage(browser, server, 'office&mode=presence', 'Bob');
        await until(async () => (await ada.$$('.tile .phone:not([hidden])')).length === 1, 'Ada sees Bob');
        await ada.$eval('.tile .phone:not([hidden])', (button) => button.click());
        await says(bob, 'Ada calls you', 'Bob');
        await says(ada, 'It rings at Bob', 'Ada');
        await bob.click('#calling .yes');
        for (const page of [ada, bob])
            await until(async () => (await direct(page))?.frames > 15, 'the other one is decoded');
        near(await heard(ada), TONE, 3, 'tone [Hz]');
        await bob.click('#calling .no');
        await says(ada, 'has ended', 'Ada');
        for (const page of [ada, bob]) {
            await until(async () => await direct(page) === null, 'the connection is closed');
            check(await showsPicture(page) === 0, 'no picture is left');
        }
    }],
    ['a call is rejected, cancelled, or not answered', async () => {
        const call = () => ada.$eval('.tile .phone:not([hidden])', (button) => button.click());
        await call();
        await says(bob, 'Ada calls you', 'Bob');
        await bob.click('#calling .no');
        await says(ada, 'Bob does not want to talk', 'Ada');
        await call();
        await says(bob, 'Ada calls you', 'Bob');
        await ada.click('#calling .no');
        await says(bob, 'Ada has given up', 'Bob');
        await call();
        await says(ada, 'Bob does not answer', 'Ada');
    }],
    ['who talks to one is busy for another', async () => {
        eve = await joinPage(browser, server, 'office&mode=presence', 'Eve');
        await until(async () => (await eve.$$('.tile .phone:not([hidden])')).length === 2, 'Eve sees both');
        const id = await ada.evaluate(() => [...window.sluiceCall.participants.values()].find((p) => p.name === 'Bob').id);
        await ada.evaluate((id) => window.sluiceCall.call(id, { video: false }), id);
        await says(bob, 'sound only', 'Bob');
        const code = await eve.evaluate((id) => window.sluiceCall.call(id).catch((error) => error.code), id);
        check(code === 'participant_busy', `the error is ${code}`);
        await bob.click('#calling .yes');
        await until(async () => Math.abs(await heard(ada) - TONE) < 3, 'Ada hears Bob');
        check((await direct(ada)).frames === 0, 'there is no picture');
        await bob.context().close();
        await says(ada, 'Bob has left', 'Ada');
        check((await pageState(ada)) === 'connected', 'Ada is still in the room');
        for (const page of [ada, eve])
            check(page.problems.length === 0, `no errors in the console: ${page.problems}`);
        await eve.context().close();
    }],
    ['two of a group talk alone, and come back', async () => {
        await ada.context().close();
        [ada, bob, eve] = await Promise.all(['Ada', 'Bob', 'Eve'].map((name) => joinPage(browser, server, 'group', name)));
        for (const page of [ada, bob, eve])
            await until(async () => await showsPicture(page) === 2, 'two others are seen');
        await ada.evaluate(() => {
            const bob = [...window.sluiceCall.participants.values()].find((p) => p.name === 'Bob');
            document.querySelector(`.tile[data-key="${bob.id}"] .phone`).click();
        });
        await says(bob, 'Ada calls you', 'Bob');
        await bob.click('#calling .yes');
        for (const page of [ada, bob])
            await until(async () => (await direct(page))?.frames > 15, 'the other one is decoded');
        await until(async () => (await eve.$$('#grid .tile.muted:not(.own)')).length === 2, 'Eve sees both muted');
        await until(async () => await showsPicture(eve) === 0, 'Eve sees no picture of them');
        near(await heard(ada), TONE, 3, 'tone [Hz]');
        await ada.click('#calling .no');
        for (const page of [ada, bob, eve])
            await until(async () => await showsPicture(page) === 2, 'two others are seen again');
        await until(async () => (await eve.$$('#grid .tile.muted:not(.own)')).length === 0, 'Eve sees both unmuted');
        near(await heard(eve), TONE, 3, 'tone [Hz]');
        await Promise.all([bob, eve].map((page) => page.context().close()));
        await ada.context().close();
        ada = await joinPage(browser, server, 'office&mode=presence', 'Ada');
    }],
    ['sluice-client answers a page, and both hear each other', async () => {
        const file = join(scratch, 'answered.wav');
        const client = sluiceClient(server, 'office', ['--name', 'Machine', '--answer', '--send', 'tone:880', '--record', file]);
        await until(async () => (await ada.$$('.tile .phone:not([hidden])')).length === 1, 'Ada sees the machine');
        await ada.$eval('.tile .phone:not([hidden])', (button) => button.click());
        await until(async () => Math.abs(await heard(ada) - 880) < 3, 'Ada hears the machine');
        await sleep(1000);
        await ada.click('#calling .no');
        check(await client.wait() === 0, `it ended well: ${client.err}`);
        near(toneOf(file), TONE, 3, 'tone of the page [Hz]');
    }],
    ['sluice-client calls a page, which accepts', async () => {
        const file = join(scratch, 'called.wav');
        const client = sluiceClient(server, 'office', ['--name', 'Machine', '--call', 'Ada', '--send', 'tone:660',
            '--record', file, '--stats', '--json']);
        await says(ada, 'Machine calls you', 'Ada');
        await ada.click('#calling .yes');
        await until(async () => Math.abs(await heard(ada) - 660) < 3, 'Ada hears the machine');
        await sleep(1000);
        client.kill('SIGTERM');
        check(await client.wait() === 0, `it ended well: ${client.err}`);
        near(toneOf(file), TONE, 3, 'tone of the page [Hz]');
        await says(ada, 'has left', 'Ada');
        const refused = sluiceClient(server, 'office', ['--name', 'Machine', '--call', 'Ada', '--send', 'silence']);
        await says(ada, 'Machine calls you', 'Ada');
        await ada.click('#calling .no');
        check(await refused.wait() === 1 && refused.err.includes('rejected'), `it says why: ${refused.err}`);
        await ada.context().close();
    }],
    ['two sluice-clients in a room for two go over the server when a third comes', async () => {
        const files = ['one', 'two', 'three'].map((name) => join(scratch, `third-${name}.wav`));
        const pair = [440, 880].map((tone, i) => sluiceClient(server, 'pair', ['--name', `c${i}`, '--mode', 'direct',
            '--send', `tone:${tone}`, '--record', files[i]]));
        await sleep(2500);
        const { on_worker: before } = await server.health();
        const third = sluiceClient(server, 'pair', ['--name', 'c2', '--record', files[2], '--for', '3']);
        check(await third.wait() === 0, `the third: ${third.err}`);
        check((await server.health()).on_worker[0] === before[0] + 2, 'the two are on the worker');
        pair.forEach((client) => client.kill());
        for (const client of pair)
            check(await client.wait() === 0, `it ended well: ${client.err}`);
        near(toneOf(files[0]), 880, 3, 'tone of the other one [Hz]');
        near(toneOf(files[1]), 440, 3, 'tone of the other one [Hz]');
    }],
]);
