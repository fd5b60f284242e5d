/** The server as its operator meets it: signals, kill -9 of a client, churn, system calls, bad options. */
import { readdirSync, readFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { build, check, plan, Process, scratch, sleep, sluiceClient, startServer, until } from './harness.mjs';

const CHURN_S = Number(process.env.SLUICE_CHURN_S ?? 25);
const descriptors = (pid) => readdirSync(`/proc/${pid}/fd`).length;
const resident = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`))[1]);

await plan([
    ['--help names every flag, --version the version, and a wrong flag is explained', async () => {
        const help = execFileSync(join(build, 'sfu/sluice'), ['--help']).toString();
        for (const flag of ['--listen', '--udp-port', '--workers', '--advertise', '--config', '--log-level', '--help'])
            check(help.includes(flag), `--help lacks ${flag}`);
        check(/sluice \d/.test(execFileSync(join(build, 'sfu/sluice'), ['--version']).toString()), '--version');
        const wrong = new Process(join(build, 'sfu/sluice'), ['--nonsense']);
        check(await wrong.wait() === 2 && /nonsense/.test(wrong.err), `wrong flag: ${wrong.status} ${wrong.err}`);
    }],
    ['a port in use is explained', async () => {
        const server = await startServer();
        const second = new Process(join(build, 'sfu/sluice'), ['--listen', `127.0.0.1:${server.port}`, '--udp-port', '0']);
        check(await second.wait() === 1, `status ${second.status}`);
        check(/in use/.test(second.err), second.err);
    }],
    ['SIGTERM in a call ends the clients with a reason and the server with 0', async () => {
        const server = await startServer();
        const client = sluiceClient(server, 'x', ['--send', 'tone:440', '--for', '60', '--no-reconnect']);
        await until(async () => (await server.health()).participants === 1, 'joined');
        await sleep(1500);
        server.kill('SIGTERM');
        check(await server.wait(5000) === 0, `server: ${server.err}`);
        await client.wait(8000);
        check(/stopping/.test(client.err + client.out), `client: ${client.err}`);
    }],
    ['kill -9 of a client frees its place when it has not come back in time', async () => {
        const server = await startServer(['--resume-timeout-s', '2']);
        const stays = sluiceClient(server, 'x', ['--name', 'stays', '--send', 'tone:440', '--for', '14']);
        const dies = sluiceClient(server, 'x', ['--name', 'dies', '--send', 'tone:500', '--for', '60']);
        await until(async () => (await server.health()).participants === 2, 'both joined');
        await sleep(2000);
        dies.kill('SIGKILL');
        await until(async () => (await server.health()).participants === 1, 'the dead one is gone', 6000);
        check(await stays.wait() === 0, `stays: ${stays.err}`);
        await until(async () => (await server.health()).rooms === 0, 'the room is gone');
    }],
    ['receiving and sending go by batches of system calls', async () => {
        const log = join(scratch, 'strace');
        const server = await startServer([], ['strace', '-f', '-c', '-o', log]);
        const clients = ['a', 'b', 'c', 'd'].map((name) => sluiceClient(server, 'x', ['--name', name, '--send', 'tone:440', '--for', '6']));
        for (const client of clients)
            check(await client.wait() === 0, client.err);
        execFileSync('pkill', ['-TERM', '-P', String(server.pid), 'sluice']);
        await server.wait(8000);
        const table = readFileSync(log, 'utf8');
        check(/recvmmsg/.test(table) && /sendmmsg/.test(table), table);
        console.log(table.split('\n').filter((l) => /mmsg|sendto|recvfrom|epoll/.test(l)).map((l) => `# ${l}`).join('\n'));
    }],
    [`24 clients joining and leaving for ${CHURN_S} s leave no descriptor and no participant`, async () => {
        const server = await startServer(['--resume-timeout-s', '0']);
        const warm = sluiceClient(server, 'warm', ['--send', 'tone:440', '--for', '3']);
        await warm.wait();
        await until(async () => (await server.health()).participants === 0, 'warm');
        await sleep(500);
        const before = descriptors(server.pid);
        const end = Date.now() + CHURN_S * 1000;
        let calls = 0;
        await Promise.all(Array.from({ length: 24 }, async (_, i) => {
            await sleep(i * 150);
            while (Date.now() < end) {
                const client = sluiceClient(server, `churn${i % 4}`, ['--name', `c${i}`, '--send', 'tone:440', '--for',
                    String(2 + i % 3)]);
                if (i % 5 === 4) {
                    await sleep(1500);
                    client.kill('SIGKILL');
                }
                await client.wait(60000);
                calls++;
            }
        }));
        await until(async () => { const h = await server.health(); return h.participants === 0 && h.rooms === 0; }, 'all gone', 40000);
        await until(() => descriptors(server.pid) <= before, `${descriptors(server.pid)} descriptors, before ${before}`, 5000);
        console.log(`# ${calls} calls, ${resident(server.pid)} KiB resident`);
        server.kill('SIGTERM');
        check(await server.wait(8000) === 0, `server: ${server.err.slice(-3000)}`);
    }],
]);
