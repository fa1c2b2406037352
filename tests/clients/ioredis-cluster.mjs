// ioredis in Cluster mode against the cluster endpoints of a cluster's nodes.
import assert from 'node:assert/strict';
import { Cluster } from 'ioredis';
import { driveCluster } from './cluster.mjs';

const nodes = process.argv.slice(2).map(port => ({ host: '127.0.0.1', port: Number(port) }));
const cluster = new Cluster(nodes, {
    clusterRetryStrategy: () => 100, retryDelayOnFailover: 100, retryDelayOnClusterDown: 100,
    slotsRefreshTimeout: 3000, redisOptions: { connectTimeout: 3000 },
});
cluster.on('error', () => {});
let refreshed = 0;
cluster.on('refresh', () => refreshed++);

assert.deepEqual(
    await cluster.multi().set('{m}a', '1').incr('{m}a').get('{m}a').exec(), [[null, 'OK'], [null, 2], [null, '2']]);
await assert.rejects(cluster.mget('a', 'b'), /CROSSSLOT|slot/);
assert.equal((await cluster.cluster('SHARDS')).length, nodes.length);
assert.equal(await cluster.cluster('KEYSLOT', 'foo'), 12182);

// The masters together have each key once.
for (let i = 0; i < 50; i++) {
    await cluster.set(`scan:${i}`, 'x');
}
const found = [];
for (const node of cluster.nodes('master')) {
    for await (const keys of node.scanStream({ match: 'scan:*' })) {
        found.push(...keys);
    }
}
assert.equal(new Set(found).size, 50);
console.log('transactions, scans');
await driveCluster({
    set: (key, value) => cluster.set(key, value), get: key => cluster.get(key), moved: () => refreshed,
});
cluster.disconnect();
