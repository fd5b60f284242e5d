/** A viewer behind a slow link gets what fits it, fluently, and the rest when the link becomes fast; others lose nothing. */
import { check, plan, sleep, startChromium, startServer, until } from './harness.mjs';
import { between, callPage, describe, Link, noLinks, span, watch } from './link.mjs';

const SLOW = 'down rate=300k; delay=50ms; seed=1';
const FAST = 'down rate=5M';
let server, link, publisher, slow, free;

/** What there is to know when something is wrong: the server's view, the publisher's, and the link's. */
async function everything(figures) {
    const room = await (await fetch(`${server.http}/v1/rooms/adapt`)).json();
    return describe({ ...figures, out: (await publisher.read()).out.map((o) => [o.rid, o.width, o.fps, o.active, o.plis, o.keyFrames, o.limited]),
        link: await link.stats(), subscribers: room.participants?.map((p) => [p.name, p.quality?.you, p.quality?.subscriptions]) });
}

await plan(noLinks ? [[`adaptation # skip ${noLinks}`, () => {}]] : [
    ['a publisher of three sizes and two viewers meet, one of them behind 300 kbit/s', async () => {
        link = await Link.make(SLOW);
        server = await startServer([], [], '0.0.0.0');
        const near = await startChromium({ tone: 440 });
        const far = await startChromium({ wrapper: link.wrapper });
        publisher = await callPage(near, server.http);
        await publisher.open({ room: 'adapt', name: 'Publisher', publish: { width: 1280, height: 720, codec: 'VP8' } });
        free = await callPage(near, server.http);
        await free.open({ room: 'adapt', name: 'Free' });
        await until(async () => (await free.read()).video[0]?.width === 1280, 'the free viewer sees the top layer', 60000); // where the first probes of the uplink failed
        slow = await callPage(far, `http://${link.near}:${server.port}`);
        await slow.open({ room: 'adapt', name: 'Slow' });
        await sleep(10000);
    }],
    ['10 s later the slow one sees the smallest size fluently and hears everything; the free one the largest', async () => {
        const seen = watch([slow, free]);
        const before = await Promise.all([slow.read(), free.read()]);
        await sleep(span(20, 60));
        const after = await Promise.all([slow.read(), free.read()]);
        const [mine, others] = [between(before[0], after[0]), between(before[1], after[1])];
        const widths = await seen.stop();
        const what = await everything({ mine, others, widths });
        console.log(`# ${what}`);
        check(widths[0].join() === '320', `sizes of the slow one: ${what}`);
        // 24 is the aim, and usual; where the machine stalls, an estimate a little low leaves out a temporal layer (15)
        check(mine.fps >= 14, `frames/s of the slow one: ${what}`);
        check(mine.freezes <= 1, `freezes of the slow one: ${what}`);
        check(mine.audioLoss < 0.01 && mine.concealed < 0.03, `sound of the slow one: ${what}`);
        check(widths[1].join() === '1280' && others.fps > 20 && others.freezes === 0, `the free one: ${what}`);
    }],
    ['with 5 Mbit/s it sees the largest within 10 s, without a freeze', async () => {
        const before = await slow.read();
        link.tell(FAST);
        const started = Date.now();
        await until(async () => (await slow.read()).video[0].width === 1280, 'the top layer', 10000).catch(async (error) => {
            throw new Error(`${error.message}: ${await everything({ mine: between(before, await slow.read()) })}`);
        });
        const took = (Date.now() - started) / 1000;
        const seen = watch([slow, free]);
        await sleep(span(5, 20));
        const mine = between(before, await slow.read());
        const what = await everything({ took, mine, widths: await seen.stop() });
        console.log(`# ${what}`);
        check(mine.freezes === 0, `freezes: ${what}`);
        check(what && (await free.read()).video[0].width === 1280, 'the free one still sees the top layer');
    }],
    ['and 300 kbit/s again are the smallest size again, once what waited on the way has passed', async () => {
        const before = await slow.read();
        link.tell('down rate=300k');
        await sleep(10000);
        const middle = await slow.read();
        await sleep(span(5, 30));
        const after = await slow.read();
        const what = await everything({ all: between(before, after), then: between(middle, after) });
        console.log(`# ${what}`);
        /* Few frames at first: losses have made sound redundant, which takes a third of this link. */
        check(after.video[0].width === 320 && between(middle, after).fps >= 3, `after the change: ${what}`);
        check(between(before, after).frozen < 5, `frozen while 64 KiB left at 300 kbit/s: ${what}`);
    }],
]);
