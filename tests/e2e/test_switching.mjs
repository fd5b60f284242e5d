/** Layer switches every two seconds, by the sizes that viewers ask for: no freeze, in any codec, in Chromium and Firefox. */
import { check, Firefox, plan, sleep, startChromium, startServer, until } from './harness.mjs';
import { between, callPage, describe, equip, span } from './link.mjs';

/* The camera's three sizes are 240, 480 and 960 wide. */
const CAMERA = { width: 960, height: 540, frameRate: 20 };
const VIEWS = [{ width: 240, height: 135 }, { width: 960, height: 540 }, { width: 480, height: 270 }, { width: 960, height: 540 },
    { width: 480, height: 270 }, { width: 240, height: 135 }];
let server, chrome, fox;

async function viewerOfFirefox(room) {
    await fox.goto(`${server.http}/client/style.css`);
    const page = await equip({ evaluate: (text) => fox.evaluate(text) });
    await page.open({ room, name: 'Firefox' });
    return page;
}

async function switches(codec, browsers) {
    const room = `switch-${codec}`;
    const publisher = await callPage(chrome, server.http);
    await publisher.open({ room, name: 'Publisher', publish: { ...CAMERA, codec, audio: false } });
    const viewers = [];
    for (const browser of browsers) {
        const viewer = browser === 'Firefox' ? await viewerOfFirefox(room) : await callPage(chrome, server.http);
        if (browser !== 'Firefox')
            await viewer.open({ room, name: browser });
        viewers.push(viewer);
        await until(async () => (await viewer.read()).video[0]?.frames > 15, `${browser} decodes ${codec}`);
    }
    await sleep(2000);
    const before = await Promise.all(viewers.map((v) => v.read()));
    const widths = viewers.map(() => new Set());
    const end = Date.now() + span(14, 60);
    for (let i = 0; Date.now() < end; i++) {
        await Promise.all(viewers.map((v) => v.view(VIEWS[i % VIEWS.length])));
        await sleep(2000);
        for (const [n, v] of viewers.entries())
            widths[n].add((await v.read()).video[0].width);
    }
    const after = await Promise.all(viewers.map((v) => v.read()));
    const { out } = await publisher.read();
    for (const [n, browser] of browsers.entries()) {
        const mine = between(before[n], after[n]);
        const what = describe({ codec, browser, mine, widths: [...widths[n]], is: after[n].video[0].codec, out });
        console.log(`# ${what}`);
        check(after[n].video[0].codec === `video/${codec}`, `the codec: ${what}`);
        check(widths[n].size === 3, `sizes seen: ${what}`);
        check(mine.freezes === 0, `freezes: ${what}`);
        check(mine.fps > 0.9 * CAMERA.frameRate, `frames/s: ${what}`);
    }
    await Promise.all([publisher, ...viewers].filter((v) => v.context).map((v) => v.context().close()));
}

await plan([
    ['VP8 in Chromium and Firefox', async () => {
        server = await startServer();
        chrome = await startChromium();
        fox = await Firefox.start();
        await switches('VP8', ['Chromium', 'Firefox']);
    }],
    ['VP9 in Chromium and Firefox', () => switches('VP9', ['Chromium', 'Firefox'])],
    ['AV1 in Chromium and Firefox', () => switches('AV1', ['Chromium', 'Firefox'])],
    ['H.264 in Chromium', () => switches('H264', ['Chromium'])],
]);
