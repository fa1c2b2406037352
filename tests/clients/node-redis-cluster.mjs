// The cluster client of node-redis (the npm package `redis`) against the cluster endpoints of a cluster's nodes.
import assert from 'node:assert/strict';
import { createCluster } from 'redis';
import { driveCluster } from './cluster.mjs';

const cluster = createCluster({
    rootNodes: process.argv.slice(2).map(port => ({ url: `redis://127.0.0.1:${port}` })),
    defaults: { socket: { reconnectStrategy: () => 100, connectTimeout: 3000 } },
    maxCommandRedirections: 32,
});
let errors = 0;
cluster.on('error', () => errors++);
await cluster.connect();
assert.deepEqual(await cluster.multi().set('{m}a', '1').incr('{m}a').get('{m}a').exec(), ['OK', 2, '2']);
assert.deepEqual(await cluster.mGet(['{m}a', '{m}none']), ['2', null]);
console.log('transactions');
await driveCluster({
    set: (key, value) => cluster.set(key, value), get: key => cluster.get(key), moved: () => errors,
});
cluster.destroy();
