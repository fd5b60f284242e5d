/** The same room on two workers: who meets there lives on either of them. */
process.argv.push('--workers', '2', '--room-spread', '1');
await import('./test_room.mjs');
