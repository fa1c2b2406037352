// ioredis against the port of a cluster's node: what people do with it every day.
import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { noteLoss, outliveNode, untilLed } from './leaders.mjs';

const options = { port: Number(process.argv[2]), host: '127.0.0.1', retryStrategy: () => 100 };
const client = new Redis(options);
const loss = noteLoss(client, 'close');

async function work(key) {
    assert.equal(await client.set(key('text'), 'hello'), 'OK');
    assert.equal(await client.get(key('text')), 'hello');
    assert.equal(await client.get(key('none')), null);
    assert.equal(await client.set(key('short'), 'x', 'EX', 100, 'NX'), 'OK');
    assert.equal(await client.set(key('short'), 'y', 'NX'), null);
    assert.equal(await client.incrby(key('number'), 5), 5);
    assert.deepEqual(await client.getBuffer(key('text')), Buffer.from('hello'));
    console.log('strings');

    assert.equal(await client.hset(key('hash'), { title: 'Emma', year: '1815' }), 2);
    assert.deepEqual({ ...await client.hgetall(key('hash')) }, { title: 'Emma', year: '1815' });
    assert.equal(await client.rpush(key('list'), 'a', 'b', 'c'), 3);
    assert.deepEqual(await client.lrange(key('list'), 0, -1), ['a', 'b', 'c']);
    assert.equal(await client.sadd(key('set'), 'a', 'b', 'a'), 2);
    assert.equal(await client.zadd(key('ranks'), 1.5, 'a', 2, 'b'), 2);
    assert.deepEqual(await client.zrange(key('ranks'), 0, -1, 'WITHSCORES'), ['a', '1.5', 'b', '2']);
    console.log('hashes, lists, sets, sorted sets');

    const pipeline = client.pipeline();
    for (let i = 0; i < 500; i++) {
        pipeline.incr(key('pipelined'));
    }
    assert.deepEqual(await pipeline.exec(), Array.from({ length: 500 }, (_, i) => [null, i + 1]));
    console.log('pipelines');

    assert.deepEqual(
        await client.multi().set(key('m'), '1').incr(key('m')).get(key('m')).exec(),
        [[null, 'OK'], [null, 2], [null, '2']]);
    const other = new Redis(options);
    await client.watch(key('m'));
    await other.set(key('m'), '10');
    assert.equal(await client.multi().set(key('m'), '3').exec(), null);
    assert.equal(await client.get(key('m')), '10');
    other.disconnect();
    await assert.rejects(client.call('NOSUCH'), /unknown command/);
    const found = new Set();
    for await (const keys of client.scanStream({ match: key('*') })) {
        keys.forEach(one => found.add(one));
    }
    assert.equal(found.size, 9);
    console.log('transactions, scans');
}

// Between two leaders a command is refused: all begins again, on keys of its own.
await untilLed(attempt => work(name => `{ioredis-${attempt}}:${name}`));

await outliveNode(client, loss);
client.disconnect();
