/** Two Chromium tabs in one room: picture at the publisher's rate, sound, mute, leave, bad room. */
import { atEnd, check, connected, frameRates, joinPage, near, pageState, plan, readTones, READ_STATS, shots,
    sleep, startChromium, startServer, until } from './harness.mjs';

const TONE = 523;
let server, browser, ada, bob;
const read = (page) => () => page.evaluate(READ_STATS);

await plan([
    ['two tabs connect, each over one connection', async () => {
        server = await startServer();
        browser = await startChromium({ tone: TONE });
        ada = await joinPage(browser, server, 'demo', 'Ada');
        bob = await joinPage(browser, server, 'demo', 'Bob');
        await connected(ada);
        await connected(bob);
        check((await server.health()).participants === 2, 'the server counts two participants');
    }],
    ['each shows the other moving at the rate it is sent', async () => {
        await until(async () => (await read(ada)()).tiles.Bob?.frames > 20, 'Ada decodes Bob');
        await until(async () => (await read(bob)()).tiles.Ada?.frames > 20, 'Bob decodes Ada');
        const [a, b] = await Promise.all([frameRates(read(ada)), frameRates(read(bob))]);
        check(a.sent > 24, `Ada sends ${a.sent} frames/s`);
        near(a.Bob, b.sent, 0.1 * b.sent, 'frames/s Ada decodes of Bob');
        near(b.Ada, a.sent, 0.1 * a.sent, 'frames/s Bob decodes of Ada');
    }],
    ['each hears the tone of the other', async () => {
        for (const page of [ada, bob]) {
            const tones = await readTones(page);
            check(tones.length === 1, `one sounding slot, got ${JSON.stringify(tones)}`);
            near(tones[0], TONE, 3, 'tone [Hz]');
        }
    }],
    ['a late joiner sees the picture within two seconds', async () => {
        const start = Date.now();
        const eve = await joinPage(browser, server, 'demo', 'Eve');
        await connected(eve);
        const joined = Date.now();
        await until(async () => (await read(eve)()).tiles.Ada?.frames > 0 &&
            (await read(eve)()).tiles.Bob?.frames > 0, 'Eve sees both');
        check(Date.now() - joined < 2000, `pictures ${Date.now() - joined} ms after connecting, ${Date.now() - start} ms after opening`);
        await eve.screenshot({ path: `${shots}/call-desktop-light.png` });
        await eve.context().close();
        await until(async () => (await server.health()).participants === 2, 'a closed tab is gone');
    }],
    ['mute silences, and is shown to the others', async () => {
        await ada.click('#mic');
        await until(async () => (await bob.$$('#grid .tile.muted')).length === 1, 'Bob sees Ada muted');
        await sleep(300);
        check((await readTones(bob)).length === 0, 'Bob hears nothing');
        await ada.click('#mic');
        await until(async () => (await readTones(bob)).length === 1, 'Bob hears Ada again');
    }],
    ['camera off removes the picture, on brings it back', async () => {
        await ada.click('#camera');
        await until(async () => (await bob.$$('#grid .tile:not(.own).has-video')).length === 0, 'Bob sees no picture of Ada');
        const before = (await read(bob)()).tiles.Ada?.frames ?? 0;
        await ada.click('#camera');
        await until(async () => (await bob.$$('#grid .tile:not(.own).has-video')).length === 1, 'Bob sees Ada again');
        await until(async () => ((await read(bob)()).tiles.Ada?.frames ?? 0) > before + 20, 'frames flow again');
    }],
    ['leave takes the tile away at once', async () => {
        await ada.click('#leave');
        await until(async () => (await bob.$$('#grid .tile')).length === 1, 'only Bob is left', 3000);
        check(await ada.isVisible('#lobby'), 'Ada is back in the lobby');
    }],
    ['a server that goes away is explained', async () => {
        server.kill('SIGTERM');
        check(await server.wait(5000) === 0, 'SIGTERM ends the server with 0');
        await until(async () => (await pageState(bob)) === 'reconnecting', 'the page knows');
        const text = await bob.textContent('#banner');
        check(/server/i.test(text) && /again/i.test(text), `banner says: ${text}`);
    }],
    ['no error or warning was printed on the console', async () => {
        const noise = [...ada.problems, ...bob.problems].filter((p) => !/WebSocket|ERR_CONNECTION_REFUSED|sluice: join failed/.test(p));
        check(noise.length === 0, noise.join('\n'));
    }],
]);
