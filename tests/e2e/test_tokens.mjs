/** Who has no token does not come in; who has one may do what it says. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, check, connected, joinPage, pageState, plan, scratch, sluiceClient, startChromium, startServer, until } from './harness.mjs';

const keyFile = join(scratch, 'app.key');
writeFileSync(keyFile, '0123456789abcdef0123456789abcdef\n');
const keys = ['--keys', `app:@${keyFile}`];

/** What `sluice token` prints, and that it is nothing else. */
function makeToken(...args) {
    const out = execFileSync(join(build, 'sfu', 'sluice'), ['token', '--key', `app:@${keyFile}`, '--room', 'demo', ...args],
        { encoding: 'utf8' });
    check(/^[\w-]+\.[\w-]+\.[\w-]+\n$/.test(out), `one token: ${out}`);
    return out.trim();
}

const ends = (process) => until(() => process.status !== undefined, `${process.name} ends`, 20000);

let browser;
let server;

await plan([
    ['a page without a token is refused, and says why', async () => {
        server = await startServer(keys);
        browser = await startChromium({ tone: 440 });
        const page = await joinPage(browser, server, 'demo', 'Eve').catch((error) => error);
        check(!(page instanceof Error), `the page opens: ${page}`);
        await until(async () => (await pageState(page)) === 'failed', 'the page gives up');
        const text = await page.evaluate(() => document.body.innerText);
        check(/asks for a token/.test(text), `the page says that a token is asked for: ${text}`);
        check((await server.health()).participants === 0, 'nobody is in the room');
        await page.context().close();
    }],
    ['pages with tokens join, under the names of the tokens', async () => {
        const ada = await joinPage(browser, server, `demo&token=${makeToken('--identity', 'ada', '--name', 'Ada')}`, 'Somebody');
        const quiet = makeToken('--identity', 'bob', '--name', 'Bob', '--publish', 'microphone');
        const bob = await joinPage(browser, server, `demo&token=${quiet}`, 'Somebody');
        await Promise.all([connected(ada), connected(bob)]);
        check((await ada.evaluate(() => location.hash)).startsWith('#token='), 'the token is behind the # now');
        const others = () => ada.evaluate(() => [...window.sluiceCall.participants.values()]
            .map((p) => [p.name, ...[...p.tracks.values()].map((t) => t.source)].join(' ')));
        await until(async () => JSON.stringify(await others()) === '["Bob microphone"]', 'Ada sees Bob, who has a microphone only')
            .catch(async (error) => { throw new Error(`${error.message}: ${await others()}`); });
        await bob.context().close();
        await ada.context().close();
    }],
    ['sluice-client needs one, too', async () => {
        const refused = sluiceClient(server, 'demo', ['--name', 'Tone', '--send', 'tone:440', '--for', '2']);
        await ends(refused);
        check(refused.status !== 0 && /asks for a token/.test(refused.err), `refused: ${refused.status} ${refused.err}`);
        const ghost = sluiceClient(server, 'demo', ['--for', '6', '--json', '--token', makeToken('--identity', 'eve', '--hidden')]);
        const tone = sluiceClient(server, 'demo', ['--send', 'tone:440', '--for', '4', '--json', '--stats',
            '--token', makeToken('--identity', 'tone', '--ttl', '90s')]);
        await Promise.all([ends(ghost), ends(tone)]);
        check(tone.status === 0, `the tone was sent: ${tone.status} ${tone.err}`);
    }],
    ['WHIP needs a bearer', async () => {
        const post = (headers) => fetch(`${server.http}/whip/demo`, { method: 'POST', body: 'v=0\r\n',
            headers: { 'Content-Type': 'application/sdp', ...headers } });
        const none = await post({});
        check(none.status === 401 && (await none.json()).code === 'token_missing', `401: ${none.status}`);
        check(/Bearer/.test(none.headers.get('www-authenticate')), 'it says how');
        const listener = await post({ Authorization: `Bearer ${makeToken('--identity', 'l', '--publish', 'no')}` });
        check(listener.status === 403 && (await listener.json()).code === 'not_allowed', `403: ${listener.status}`);
        const good = await post({ Authorization: `Bearer ${makeToken('--identity', 'p')}` });
        check(good.status === 400, `the offer is at fault now: ${good.status}`);
    }],
]);
