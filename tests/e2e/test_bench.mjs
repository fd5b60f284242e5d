/** sluice-bench against sluice: what a tiny load must come to, with each way in and each scenario. */
import { join } from 'node:path';
import { build, check, plan, Process, startServer } from './harness.mjs';

const SCENARIOS = {
    broadcast: ['--subscribers', '5'],
    meeting: ['--publishers', '3'],
    audio: ['--publishers', '3', '--subscribers', '5'],
    rooms: ['--rooms', '3', '--subscribers', '2'],
    'join-storm': ['--subscribers', '10'],
};

/** @returns what a run of a second printed, once it ended well */
async function bench(args) {
    const process = new Process(join(build, 'bench/sluice-bench'),
        [...args, '--seconds', '1', '--warm-up', '0', '--json', '--quiet']);
    check(await process.wait() === 0, `${args.join(' ')}: ${process.status} ${process.err}`);
    return process.json();
}

function checkRun(result, what) {
    check(result.packets > 0 && result.lost === 0, `${what}: ${result.lost} of ${result.expected} lost`);
    const { packets, wrong, missing, out_of_order: order } = result.verified;
    check(packets > 0 && wrong === 0 && missing === 0 && order === 0, `${what}: ${JSON.stringify(result.verified)}`);
    check(result.delay_ms.p50 > 0 && result.delay_ms.p50 < 500, `${what}: delay ${result.delay_ms.p50} ms`);
}

await plan([
    ['every scenario loses nothing, and every byte is as it was sent', async () => {
        const server = await startServer();
        for (const [name, args] of Object.entries(SCENARIOS)) {
            const result = await bench([name, ...args, '--sluice', server.ws, '--server-pid', String(server.pid)]);
            checkRun(result, name);
            check(result.server_cpu_s > 0 && result.cpu_us_per_packet > 0, `${name}: CPU time ${result.server_cpu_s}`);
        }
        check((await server.health()).rooms === 0, 'a room is left');
    }],
    ['publishers and subscribers get and give the feedback of browsers, unless plain', async () => {
        const server = await startServer();
        const args = ['broadcast', '--subscribers', '3', '--sluice', server.ws];
        const rich = await bench(args);
        checkRun(rich, 'with extensions');
        check(rich.transport_feedback.sent >= 15 && rich.transport_feedback.received >= 5,
            `feedback: ${JSON.stringify(rich.transport_feedback)}`);
        const plain = await bench([...args, '--plain']);
        checkRun(plain, 'plain');
        check(plain.transport_feedback.sent + plain.transport_feedback.received === 0, 'feedback without numbers');
    }],
    ['WHIP and WHEP, AES-CM and runs of packets bring the same', async () => {
        const server = await startServer();
        const way = ['--whip', `${server.http}/whip`, '--whep', `${server.http}/whep`];
        checkRun(await bench(['rooms', '--rooms', '2', '--subscribers', '2', ...way]), 'WHIP');
        checkRun(await bench(['broadcast', '--subscribers', '3', '--profile', 'cm', '--gro', '--sluice', server.ws]), 'AES-CM');
    }],
    ['a join storm goes on without those who find no place', async () => {
        const server = await startServer(['--max-participants-per-room', '5']);
        const result = await bench(['join-storm', '--subscribers', '8', '--sluice', server.ws]);
        checkRun(result, 'storm');
        check(result.failed === 4, `failed: ${result.failed}`);
    }],
    ['a server that is not there is an error, not a hang', async () => {
        const process = new Process(join(build, 'bench/sluice-bench'),
            ['broadcast', '--sluice', 'ws://127.0.0.1:9', '--quiet']);
        check(await process.wait(5000) === 1 && /refused/.test(process.err), `${process.status} ${process.err}`);
    }],
]);
