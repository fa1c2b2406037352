// node-redis (the npm package `redis`) against the port of a cluster's node: what people do with it every day.
import assert from 'node:assert/strict';
import { createClient, WatchError } from 'redis';
import { noteLoss, outliveNode, untilLed } from './leaders.mjs';

const socket = { port: Number(process.argv[2]), host: '127.0.0.1', reconnectStrategy: () => 100 };
async function work(client, key) {
    assert.equal(await client.set(key('text'), 'hello'), 'OK');
    assert.equal(await client.get(key('text')), 'hello');
    assert.equal(await client.get(key('none')), null);
    assert.equal(await client.set(key('short'), 'x', { EX: 100, NX: true }), 'OK');
    assert.equal(await client.ttl(key('short')) > 0, true);
    assert.equal(await client.incrBy(key('number'), 5), 5);
    console.log('strings');

    assert.equal(await client.hSet(key('hash'), { title: 'Emma', year: '1815' }), 2);
    assert.deepEqual({ ...await client.hGetAll(key('hash')) }, { title: 'Emma', year: '1815' });
    assert.equal(await client.rPush(key('list'), ['a', 'b', 'c']), 3);
    assert.deepEqual(await client.lRange(key('list'), 0, -1), ['a', 'b', 'c']);
    assert.equal(await client.zAdd(key('ranks'), [{ score: 1.5, value: 'a' }, { score: 2, value: 'b' }]), 2);
    assert.deepEqual(
        (await client.zRangeWithScores(key('ranks'), 0, -1)).map(({ score, value }) => [value, score]),
        [['a', 1.5], ['b', 2]]);
    console.log('hashes, lists, sorted sets');

    const numbers = await Promise.all(Array.from({ length: 500 }, () => client.incr(key('pipelined'))));
    assert.deepEqual(numbers, Array.from({ length: 500 }, (_, i) => i + 1));
    console.log('pipelines');

    assert.deepEqual(
        await client.multi().set(key('m'), '1').incr(key('m')).get(key('m')).exec(), ['OK', 2, '2']);
    const other = client.duplicate();
    await other.connect();
    await client.watch(key('m'));
    await other.set(key('m'), '10');
    await assert.rejects(client.multi().set(key('m'), '3').exec(), WatchError);
    assert.equal(await client.get(key('m')), '10');
    other.destroy();
    await assert.rejects(client.sendCommand(['NOSUCH']), /unknown command/);
    const found = [];
    for await (const keys of client.scanIterator({ MATCH: key('*') })) {
        found.push(...keys);
    }
    assert.equal(new Set(found).size, 8);
    console.log('transactions, scans');
}

for (const RESP of [2, 3]) {
    // Between two leaders a command is refused: all begins again, on keys of its own.
    await untilLed(async attempt => {
        const client = createClient({ socket, RESP });
        client.on('error', error => console.log(`error: ${error.message}`));
        await client.connect();
        try {
            await work(client, name => `{node-redis-${RESP}-${attempt}}:${name}`);
        } finally {
            client.destroy();
        }
    });
}

const client = createClient({ socket });
const loss = noteLoss(client, 'reconnecting');
await client.connect();
await outliveNode(client, loss);
client.destroy();
