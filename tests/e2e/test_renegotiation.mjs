/** Tracks and slots that come during a call: a screen, taken back and shared again; more people than slots. */
import { check, connected, frameRates, joinPage, pageState, plan, pythonPeer, READ_SCREENS, READ_STATS, readTones, seesScreen,
    shareScreen, shots, startChromium, startServer, until } from './harness.mjs';

const SMALL = { width: 320, height: 180, frameRate: 15 };
const SIZE = { width: 900, height: 600 };
const TONES = { Ada: 523, w1: 620, w2: 710, w3: 830 };
const MAGENTA = [200, 0, 160], BLUE = [0, 60, 220];
const css = (colour) => `rgb(${colour})`;
let server, browser, ada, bob, eve;
const stats = (page) => page.evaluate(READ_STATS);
const screens = (page) => () => page.evaluate(READ_SCREENS);
const lines = (page) => page.evaluate(() => window.sluiceCall.peerConnection.getTransceivers().length);
const unshare = (page) => page.evaluate(() => window.sluiceCall.unpublish('screen'));

async function sees(page, name, others) {
    let last;
    await until(async () => {
        last = await stats(page);
        return others.every((other) => last.tiles[other]?.frames > 10);
    }, `${name} sees ${others}`).catch((error) => { throw new Error(`${error.message}: ${JSON.stringify(last)}`); });
}

await plan([
    ['a screen shared in a call arrives in a tile of its own', async () => {
        server = await startServer();
        browser = await startChromium({ tone: TONES.Ada });
        [ada, bob] = await Promise.all(['Ada', 'Bob'].map((name) =>
            joinPage(browser, server, 'demo', name, SIZE, 'light', SMALL)));
        await Promise.all([connected(ada), connected(bob)]);
        await sees(bob, 'Bob', ['Ada']);
        await ada.evaluate(shareScreen(css(MAGENTA)));
        const screen = await seesScreen(screens(bob), 'Ada\'s screen', MAGENTA, 'Bob');
        check([400, 800].includes(screen.width), `${screen.width} pixels wide`); // as its tile needs
        const rates = await frameRates(() => stats(bob), 2000);
        check(rates.Ada > 8, `the camera goes on: ${rates.Ada} frames/s`);
    }],
    ['it goes when it is taken back, and comes again on the same m-line', async () => {
        const before = await lines(ada);
        await unshare(ada);
        await until(async () => (await bob.$$('.tile.screen')).length === 0, 'Bob sees no screen any more', 5000);
        await ada.evaluate(shareScreen(css(BLUE)));
        await seesScreen(screens(bob), 'Ada\'s screen', BLUE, 'Bob');
        check(await lines(ada) === before, `m-lines: ${await lines(ada)}, before ${before}`);
        await sees(bob, 'Bob', ['Ada']);
    }],
    ['the button shares a screen and stops it', async () => {
        await unshare(ada);
        await ada.click('#screen');
        await ada.waitForSelector('.tile.screen.own.has-video');
        await until(async () => (await screens(bob)()).length === 1, 'Bob sees it');
        await ada.click('#screen');
        await until(async () => (await bob.$$('.tile.screen')).length === 0, 'Bob sees no screen any more', 5000);
        check((await ada.$$('.tile.screen')).length === 0, 'Ada sees none either');
        await ada.evaluate(shareScreen(css(BLUE)));
    }],
    ['six people and a screen: everybody sees all of it', async () => {
        const names = ['w1', 'w2', 'w3'];
        for (const name of names)
            pythonPeer('aiortc_peer.py', ['whip', `${server.http}/whip/demo?name=${name}`, '--tone', TONES[name], '--seconds', 120]);
        await until(async () => (await server.health()).participants === 5, 'three publishers are in');
        eve = await joinPage(browser, server, 'demo', 'Eve', SIZE, 'light', SMALL);
        await connected(eve);
        await sees(eve, 'Eve', ['Ada', 'Bob', ...names]);
        await seesScreen(screens(eve), 'Ada\'s screen', BLUE, 'Eve');
        await sees(bob, 'Bob', ['Ada', 'Eve', ...names]);
        await seesScreen(screens(bob), 'Ada\'s screen', BLUE, 'Bob');
        await sees(ada, 'Ada', ['Bob', 'Eve', ...names]);
        await eve.screenshot({ path: `${shots}/call-six.png` });
    }],
    ['and hears everybody', async () => {
        const wanted = Object.values(TONES);
        await until(async () => {
            const tones = await readTones(eve);
            return wanted.every((tone) => tones.some((t) => Math.abs(t - tone) < 5));
        }, `Eve hears ${wanted}`).catch(async (e) => { throw new Error(`${e.message}: ${await readTones(eve)}`); });
        const { audio } = await stats(eve);
        check(audio.length === 5, `${audio.length} sounding slots`);
    }],
    ['a track too many is refused in words, and the call goes on', async () => {
        const { published, error, message } = await eve.evaluate(async () => {
            const canvas = document.createElement('canvas');
            canvas.getContext('2d');
            const [track] = canvas.captureStream(1).getVideoTracks();
            for (let published = 0; published < 20; published++) {
                try {
                    await window.sluiceCall.publish(track.clone(), `extra-${published}`);
                } catch (e) {
                    return { published, error: e.code, message: e.message };
                }
            }
            return {};
        });
        check(published === 6 && error === 'too_many_tracks', `${published} more than 2, then ${error}: ${message}`);
        check(await pageState(eve) === 'connected', 'Eve is connected');
        await until(async () => (await ada.$$('#grid .tile')).length === 6 + 6, 'Ada has a tile for each');
        await eve.evaluate(async () => {
            for (let i = 0; i < 6; i++)
                await window.sluiceCall.unpublish(`extra-${i}`);
        });
        await until(async () => (await ada.$$('#grid .tile')).length === 6, 'Ada has a tile for each person');
        const rates = await frameRates(() => stats(ada), 1500);
        check(rates.Eve > 8, `Eve's camera goes on: ${rates.Eve} frames/s`);
    }],
    ['pictures move on while others come and go', async () => {
        await unshare(ada);
        await until(async () => (await eve.$$('.tile.screen')).length === 0, 'Eve sees no screen any more', 5000);
        await bob.click('#leave');
        await until(async () => (await eve.$$('#grid .tile')).length === 5, 'Bob\'s tile is gone', 5000);
        const rates = await frameRates(() => stats(eve), 3000);
        for (const name of ['Ada', 'w1', 'w2', 'w3'])
            check(rates[name] > 4, `${name}: ${rates[name]} frames/s`);
        for (const page of [ada, bob, eve])
            check(page.problems.length === 0, page.problems.join('\n'));
    }],
]);
