/** How much a publisher may send: told in the answer, kept to by browsers, changed when others come and go. */
import { check, connected, Firefox, joinPage, plan, sleep, startChromium, startServer, until } from './harness.mjs';

/** Bits per second that a page sends of each kind, and what its encodings may have. */
const READ_SENT = `(async () => {
    const call = window.sluiceCall, pc = call.peerConnection;
    const bytes = async () => {
        const sums = { audio: 0, video: 0 };
        for (const s of (await pc.getStats()).values())
            if (s.type === 'outbound-rtp')
                sums[s.kind] += s.bytesSent;
        return sums;
    };
    const before = await bytes(), began = performance.now();
    await new Promise((done) => setTimeout(done, 4000));
    const after = await bytes(), seconds = (performance.now() - began) / 1000;
    return { audio: (after.audio - before.audio) * 8 / seconds, video: (after.video - before.video) * 8 / seconds };
})()`;

const READ_MAX = `(() => {
    const senders = window.sluiceCall.peerConnection.getSenders();
    const video = senders.find((s) => s.track && s.track.kind === 'video');
    return video.getParameters().encodings.reduce((sum, e) => sum + (e.active ? e.maxBitrate : 0), 0);
})()`;

const READ_ANSWER = 'window.sluiceCall.peerConnection.remoteDescription.sdp';

let browser;

await plan([
    ['browsers keep to the limits of camera and microphone', async () => {
        browser = await startChromium({ tone: 440 });
        const server = await startServer(['--max-camera-kbps', '150', '--max-audio-kbps', '20']);
        const ada = await joinPage(browser, server, 'limits', 'Ada');
        const bob = await joinPage(browser, server, 'limits', 'Bob');
        await Promise.all([connected(ada), connected(bob)]);
        check(/b=TIAS:150000\r\n/.test(await ada.evaluate(READ_ANSWER)), 'the answer has b=TIAS');
        await sleep(5000);
        const sent = await ada.evaluate(READ_SENT);
        check(sent.audio > 5000 && sent.audio < 24000, `sound has 20 kbit/s: ${sent.audio}`);
        check(sent.video > 50000 && sent.video < 180000, `the camera has 150 kbit/s: ${sent.video}`);
        await bob.context().close();
        const firefox = await Firefox.start();
        await firefox.goto(`${server.http}/?room=limits&name=Firefox&join=1`);
        await until(() => firefox.evaluate(`document.getElementById('status').dataset.state === 'connected'`),
            'Firefox is connected', 30000);
        await sleep(5000);
        const fox = await firefox.evaluate(READ_SENT);
        check(fox.audio > 5000 && fox.audio < 24000, `its sound, too: ${fox.audio}`);
        check(fox.video > 30000 && fox.video < 180000, `its camera, too: ${fox.video}`);
        firefox.process.kill();
        await ada.context().close();
    }],
    ['what is for the room is shared with who comes, and given back', async () => {
        const server = await startServer(['--max-room-kbps', '300']);
        const ada = await joinPage(browser, server, 'room', 'Ada');
        await connected(ada);
        const has = (page, bps) => until(async () => Math.abs(await page.evaluate(READ_MAX) - bps) < 10,
            `encodings have ${bps}`, 10000).catch(async (e) => { throw new Error(`${e.message}: ${await page.evaluate(READ_MAX)}`); });
        await has(ada, 300000);
        const bob = await joinPage(browser, server, 'room', 'Bob');
        await connected(bob);
        await has(ada, 150000);
        await has(bob, 150000);
        await ada.context().close();
        await has(bob, 300000);
        await until(async () => /b=TIAS:300000\r\n/.test(await bob.evaluate(READ_ANSWER)), 'a new answer says so');
        check(bob.problems.length === 0, bob.problems.join('\n'));
    }],
]);
