/** TLS on the signaling port: page, WebSocket, sluice-client, a renewed certificate; WHIP and WHEP of a browser with
 * tokens, trickle and ICE restart. */
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { bearer, check, connected, joinPage, KEYS, near, plan, readTones, scratch, sluiceClient, startChromium, startServer,
    until } from './harness.mjs';

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; // of this program's own requests; the clients are asked to be strict
process.removeAllListeners('warning');

const folder = join(scratch, 'tls');
mkdirSync(folder, { recursive: true });
const openssl = (...args) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
const file = (name) => join(folder, name);

openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=Test CA',
    '-keyout', 'ca.key', '-out', 'ca.pem');
openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-out', 'key.pem');

/** A certificate for localhost, of the same key each time: browsers trust the key. */
function certify() {
    openssl('req', '-new', '-key', 'key.pem', '-subj', '/CN=localhost', '-out', 'csr.pem');
    writeFileSync(file('names.ext'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
    openssl('x509', '-req', '-in', 'csr.pem', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2',
        '-extfile', 'names.ext', '-out', 'new.pem');
    renameSync(file('new.pem'), file('cert.pem'));
    return new X509Certificate(readFileSync(file('cert.pem')));
}

let certificate = certify();
const spki = createHash('sha256').update(certificate.publicKey.export({ type: 'spki', format: 'der' })).digest('base64');
const TLS = ['--tls-cert', file('cert.pem'), '--tls-key', file('key.pem')];

async function startSecureServer(args = []) {
    const server = await startServer([...TLS, ...args]); // http:// is sent to https://
    server.http = `https://localhost:${server.port}`;
    server.ws = `wss://localhost:${server.port}/ws`;
    return server;
}

/** Serial number of the certificate that the server shows. */
const shown = (server) => new Promise((resolve, reject) => {
    const socket = connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate().serialNumber);
        socket.destroy();
    });
    socket.on('error', reject);
});

/** Runs in the page: publish or play as RFC 9725 says, without waiting for candidates, then restart ICE. */
async function whipOrWhep({ url, token, kind }) {
    const pc = window.pc = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
    const headers = { Authorization: `Bearer ${token}` };
    const wait = async (holds, what) => {
        for (const end = Date.now() + 15000; !await holds(); await new Promise((r) => setTimeout(r, 50)))
            if (Date.now() > end)
                throw new Error(`not in time: ${what}`);
    };
    const line = (sdp, name) => sdp.match(new RegExp(`^a=${name}:(.*?)\r?$`, 'm'))[1];
    const fragment = (sdp, candidates) => ['a=group:BUNDLE 0 1', 'm=audio 9 UDP/TLS/RTP/SAVPF 111', 'a=mid:0',
        `a=ice-ufrag:${line(sdp, 'ice-ufrag')}`, `a=ice-pwd:${line(sdp, 'ice-pwd')}`,
        ...candidates.map((c) => `a=${c}`), ''].join('\r\n');
    const transport = async () => [...(await pc.getStats()).values()].find((s) => s.type === 'transport');
    const carried = async () => {
        const t = await transport();
        return kind === 'whip' ? t?.bytesSent ?? 0 : t?.bytesReceived ?? 0;
    };

    if (kind === 'whip') {
        const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 320, height: 180 } });
        for (const track of stream.getTracks())
            pc.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
    } else {
        pc.addTransceiver('audio', { direction: 'recvonly' });
        pc.addTransceiver('video', { direction: 'recvonly' });
    }
    const candidates = [];
    pc.onicecandidate = ({ candidate }) => candidate?.candidate && candidates.push(candidate.candidate);
    const offer = await pc.createOffer();
    await pc.setLocalDescription(offer);
    const reply = await fetch(url, { method: 'POST', headers: { ...headers, 'Content-Type': 'application/sdp' }, body: offer.sdp });
    if (reply.status !== 201)
        throw new Error(`POST: ${reply.status} ${await reply.text()}`);
    const session = new URL(reply.headers.get('Location'), url);
    const etag = reply.headers.get('ETag');
    const answer = await reply.text();
    await pc.setRemoteDescription({ type: 'answer', sdp: answer });
    const patch = (body, match) => fetch(session, { method: 'PATCH', body,
        headers: { ...headers, 'Content-Type': 'application/trickle-ice-sdpfrag', ...(match && { 'If-Match': match }) } });
    await wait(() => candidates.length > 0, 'a candidate');
    const result = { trickle: (await patch(fragment(offer.sdp, candidates), etag)).status,
        without: (await patch(fragment(offer.sdp, candidates))).status };
    await wait(() => pc.connectionState === 'connected', 'connected');
    await wait(async () => await carried() > 20000, 'media');

    const again = await pc.createOffer({ iceRestart: true });
    await pc.setLocalDescription(again);
    const restarted = await patch(fragment(again.sdp, []), '*');
    const theirs = await restarted.text();
    result.restart = restarted.status;
    result.etagChanged = restarted.headers.get('ETag') !== etag;
    await pc.setRemoteDescription({ type: 'answer', sdp: answer
        .replace(/^a=ice-ufrag:.*$/gm, `a=ice-ufrag:${line(theirs, 'ice-ufrag')}`.trim())
        .replace(/^a=ice-pwd:.*$/gm, `a=ice-pwd:${line(theirs, 'ice-pwd')}`.trim()) });
    const before = await carried();
    await wait(async () => (await transport()).iceLocalUsernameFragment === line(again.sdp, 'ice-ufrag') &&
        pc.iceConnectionState === 'connected', 'the new ICE session');
    await wait(async () => await carried() > before + 20000, 'media after the restart');
    result.old = (await patch(fragment(offer.sdp, []), etag)).status;
    result.state = pc.connectionState;
    result.session = String(session);
    window.endSession = async () => (await fetch(session, { method: 'DELETE', headers })).status;
    return result;
}

let server, browser, page;

await plan([
    ['the page and its WebSocket work over https, and sluice-client over wss', async () => {
        browser = await startChromium({ tone: 440, extra: [`--ignore-certificate-errors-spki-list=${spki}`] });
        server = await startSecureServer();
        page = await joinPage(browser, server, 'tls', 'Ada');
        await connected(page);
        check(await page.evaluate(() => isSecureContext && location.protocol === 'https:'), 'a secure page');
        const client = sluiceClient(server, 'tls', ['--send', 'tone:800', '--for', '10', '--ca', file('ca.pem')]);
        await until(async () => Object.values(await readTones(page)).some((tone) => Math.abs(tone - 800) < 10),
            'the page hears the client', 15000);
        check(await client.wait() === 0, client.err);
    }],
    ['sluice-client takes no certificate of strangers, unless told to', async () => {
        const strict = sluiceClient(server, 'tls', ['--for', '1']);
        check(await strict.wait() === 1, 'it must end with an error');
        check(/certificate is not accepted: /.test(strict.err), strict.err);
        check(await sluiceClient(server, 'tls', ['--for', '1', '--insecure']).wait() === 0, '--insecure');
    }],
    ['a renewed certificate is shown, and calls go on', async () => {
        check(await shown(server) === certificate.serialNumber, 'the first certificate');
        const before = await page.evaluate(() => window.sluiceCall.peerConnection.connectionState);
        certificate = certify();
        await until(async () => await shown(server) === certificate.serialNumber, 'the new certificate', 20000);
        check(await page.evaluate(() => window.sluiceCall.peerConnection.connectionState) === before, 'the call goes on');
        await page.close();
    }],
    ['Chromium publishes by WHIP and plays by WHEP with a token, trickles and restarts ICE', async () => {
        server = await startSecureServer(KEYS);
        const context = await browser.newContext({ permissions: ['camera', 'microphone'] });
        const pages = [];
        for (const kind of ['whip', 'whep']) {
            const page = await context.newPage();
            await page.goto(`${server.http}/client/style.css`);
            const result = await page.evaluate(whipOrWhep,
                { url: `${server.http}/${kind}/tls`, token: bearer({ room: 'tls' }), kind });
            check(result.trickle === 204 && result.without === 428 && result.restart === 200 && result.etagChanged &&
                result.old === 412 && result.state === 'connected', JSON.stringify(result));
            pages.push(page);
        }
        for (const page of pages)
            check(await page.evaluate(() => window.endSession()) === 200, 'DELETE');
        near((await (await fetch(`${server.http}/healthz`)).json()).participants, 0, 0, 'participants');
        const strangers = await fetch(`${server.http}/whip/tls`, { method: 'POST', body: 'v=0',
            headers: { 'Content-Type': 'application/sdp' } });
        check(strangers.status === 401 || strangers.status === 400, `without a token: ${strangers.status}`);
    }],
]);
