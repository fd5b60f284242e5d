/** Firefox and Chromium in one room see and hear each other. */
import { check, connected, Firefox, frameRates, joinPage, plan, READ_SCREENS, READ_STATS, seesScreen, shareScreen,
    shots, startChromium, startServer, until } from './harness.mjs';

let server, chrome, firefox;
const readFox = () => firefox.evaluate(READ_STATS);

await plan([
    ['Firefox joins by the page and connects', async () => {
        server = await startServer();
        const browser = await startChromium({ tone: 660 });
        chrome = await joinPage(browser, server, 'mixed', 'Chromium');
        await connected(chrome);
        firefox = await Firefox.start();
        await firefox.goto(`${server.http}/?room=mixed&name=Firefox&join=1`);
        await until(() => firefox.evaluate(`document.getElementById('status').dataset.state === 'connected'`),
            'Firefox is connected', 30000);
    }],
    ['Firefox decodes the moving picture of Chromium at its rate', async () => {
        await until(async () => (await readFox()).tiles.Chromium?.frames > 20, 'Firefox decodes Chromium');
        const rates = await frameRates(readFox);
        check(rates.Chromium > 20, `${rates.Chromium} frames/s`);
    }],
    ['Chromium decodes the picture of Firefox', async () => {
        await until(async () => (await chrome.evaluate(READ_STATS)).tiles.Firefox?.frames > 20, 'Chromium decodes Firefox');
        const [rates, sent] = await Promise.all([frameRates(() => chrome.evaluate(READ_STATS)), frameRates(readFox)]);
        check(rates.Firefox > 0.8 * sent.sent && sent.sent > 10, `${rates.Firefox} of ${sent.sent} frames/s`);
    }],
    ['sound flows both ways', async () => {
        const energy = async () => Math.max(0, ...(await readFox()).audio.map((a) => a.energy));
        const before = await energy();
        await until(async () => (await energy()) > before + 0.01, 'Firefox hears Chromium');
        await until(async () => (await chrome.evaluate(READ_STATS)).audio.some((a) => a.energy > 0.01), 'Chromium hears Firefox');
        await firefox.screenshot(`${shots}/call-firefox.png`);
    }],
    ['each sees the screen of the other, until it is taken back, and again', async () => {
        const ends = [['Firefox', firefox, chrome, [200, 0, 160]], ['Chromium', chrome, firefox, [0, 60, 220]],
            ['Firefox', firefox, chrome, [0, 140, 70]]];
        for (const [name, from, to, colour] of ends) {
            await from.evaluate(shareScreen(`rgb(${colour})`));
            await seesScreen(() => to.evaluate(READ_SCREENS), `${name}'s screen`, colour, 'the other one');
            await from.evaluate(`window.sluiceCall.unpublish('screen')`);
            await until(async () => (await to.evaluate(READ_SCREENS)).length === 0, `${name}'s screen is gone`, 5000);
        }
        await until(async () => (await frameRates(readFox, 1000)).Chromium > 10, 'the cameras go on');
    }],
]);
