/** 5 % random loss and 100 ms round trip: repaired by retransmission, not by key frames. */
import { check, plan, sleep, startChromium, startServer, until } from './harness.mjs';
import { between, callPage, describe, Link, noLinks, span } from './link.mjs';

let server, link, near, far;

await plan(noLinks ? [[`loss # skip ${noLinks}`, () => {}]] : [
    ['a viewer behind 5 % loss decodes at least 95 % of the frames', async () => {
        link = await Link.make('loss=5% delay=50ms seed=1');
        server = await startServer([], [], '0.0.0.0');
        near = await startChromium({ tone: 440 });
        far = await startChromium({ tone: 660, wrapper: link.wrapper, trusted: `http://${link.near}:${server.port}` });
        const publisher = await callPage(near, server.http);
        await publisher.open({ room: 'loss', name: 'Publisher', publish: { width: 640, height: 360, codec: 'VP8' } });
        const viewer = await callPage(far, `http://${link.near}:${server.port}`);
        await viewer.open({ room: 'loss', name: 'Viewer' });
        await until(async () => (await viewer.read()).video[0]?.frames > 60, 'the viewer decodes');
        await sleep(5000);
        const before = await Promise.all([viewer.read(), publisher.read()]);
        await sleep(span(20, 60));
        const after = await Promise.all([viewer.read(), publisher.read()]);
        const mine = between(before[0], after[0]);
        const sent = Math.max(...after[1].out.map((o, i) => o.frames - before[1].out[i].frames));
        const asked = Math.max(...after[1].out.map((o, i) => o.plis + o.firs - before[1].out[i].plis - before[1].out[i].firs));
        const what = describe({ mine, sent, asked, out: after[1].out, link: await link.stats() });
        console.log(`# ${what}`);
        check(mine.frames >= 0.95 * sent, `${mine.frames} of ${sent} frames: ${what}`);
        check(asked <= mine.seconds / 2, `${asked} key frames were asked for in ${mine.seconds} s: ${what}`);
        check(mine.nacks > 0 && mine.frozen < 0.1 * mine.seconds, `frozen: ${what}`);
        await Promise.all([publisher, viewer].map((page) => page.context().close()));
    }],
    ['a publisher behind 5 % loss is seen by others just as well', async () => {
        const publisher = await callPage(far, `http://${link.near}:${server.port}`);
        await publisher.open({ room: 'loss2', name: 'Publisher', publish: { width: 640, height: 360, codec: 'VP8' } });
        const viewer = await callPage(near, server.http);
        await viewer.open({ room: 'loss2', name: 'Viewer' });
        await until(async () => (await viewer.read()).video[0]?.frames > 60, 'the viewer decodes');
        await sleep(5000);
        const before = await Promise.all([viewer.read(), publisher.read()]);
        await sleep(span(15, 60));
        const after = await Promise.all([viewer.read(), publisher.read()]);
        const mine = between(before[0], after[0]);
        const top = (r) => r.out.reduce((a, b) => (b.frames > a.frames ? b : a));
        const sent = top(after[1]).frames - top(before[1]).frames;
        const asked = top(after[1]).plis - top(before[1]).plis;
        const what = describe({ mine, sent, asked, out: after[1].out, link: await link.stats() });
        console.log(`# ${what}`);
        check(mine.frames >= 0.95 * sent, `${mine.frames} of ${sent} frames: ${what}`);
        check(asked <= mine.seconds / 2, `${asked} key frames were asked for: ${what}`);
    }],
]);
