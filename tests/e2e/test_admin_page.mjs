/** What operators do to a participant, as the page shows it. */
import { check, connected, joinPage, plan, startChromium, startServer, until } from './harness.mjs';

const MIC_OFF = `document.getElementById('mic').getAttribute('aria-pressed') === 'true'`;
const TRACK_ON = `window.sluiceCall.peerConnection.getSenders().some((s) => s.track?.kind === 'audio' && s.track.enabled)`;
const BANNER = `document.querySelector('#banner p').textContent`;

let browser, server;

async function ask(method, path, body) {
    const answer = await fetch(`${server.http}/v1/rooms/${path}`, { method, body: body && JSON.stringify(body),
        headers: body ? { 'Content-Type': 'application/json' } : {} });
    check(answer.ok, `${method} ${path}: ${answer.status}`);
    return answer.json();
}

await plan([
    ['who is muted from afar sees it, is not sent, and cannot unmute while held', async () => {
        browser = await startChromium({ tone: 440 });
        server = await startServer([]);
        const ada = await joinPage(browser, server, 'demo', 'Ada');
        const bob = await joinPage(browser, server, 'demo', 'Bob');
        await Promise.all([connected(ada), connected(bob)]);
        const id = await ada.evaluate('window.sluiceCall.you');
        check(!(await ada.evaluate(MIC_OFF)), 'the microphone is on');
        await ask('PATCH', `demo/participants/${id}`, { muted: true, hold: true, kind: 'audio' });
        await until(() => ada.evaluate(MIC_OFF), 'the button says muted');
        check(!(await ada.evaluate(TRACK_ON)), 'nothing is sent');
        check(/muted by/.test(await ada.evaluate(BANNER)), 'and says by whom');
        const seen = `[...window.sluiceCall.participants.get('${id}').tracks.values()].find((t) => t.kind === 'audio')`;
        await until(() => bob.evaluate(`${seen}.muted && ${seen}.muted_by === 'admin'`), 'the other one sees it');

        await ada.evaluate(`document.getElementById('mic').click()`);
        await until(async () => /cannot unmute/.test(await ada.evaluate(BANNER)), 'it cannot unmute itself');
        check(await ada.evaluate(MIC_OFF) && !(await ada.evaluate(TRACK_ON)), 'and is still muted');
        await ask('PATCH', `demo/participants/${id}`, { hold: false });
        await ada.evaluate(`document.getElementById('mic').click()`);
        await until(() => bob.evaluate(`!${seen}.muted`), 'then it can');
        check(await ada.evaluate(TRACK_ON), 'and is sent again');
    }],
    ['who is moved goes on in the other room, and who is kicked does not', async () => {
        const ada = await joinPage(browser, server, 'one', 'Ada');
        await connected(ada);
        await ask('POST', `one/participants/${await ada.evaluate('window.sluiceCall.you')}/move`, { room: 'two' });
        await until(async () => (await (await fetch(`${server.http}/v1/rooms`)).json()).rooms.some((r) => r.room === 'two'),
            'it is in the other room');
        await connected(ada);
        await ask('DELETE', `two/participants/${await ada.evaluate('window.sluiceCall.you')}?reason=too+loud`);
        await until(() => ada.evaluate(`window.sluiceCall.state === 'failed'`), 'it is out');
        check(/too loud/.test(await ada.evaluate(BANNER)), 'and knows why');
    }],
]);
