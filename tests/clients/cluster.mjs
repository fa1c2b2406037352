// What a library that knows clusters does with the cluster endpoints, through the death of a node and its return.
import assert from 'node:assert/strict';

const KEYS = 300;
const WRITERS = 8;

// Every acknowledged write of `set` is there at the end, whatever happened between; errors are counted.
export async function driveCluster({ set, get, moved }) {
    for (let i = 0; i < KEYS; i++) {
        assert.equal(await set(`key:${i}`, `${i}`), 'OK');
    }
    for (let i = 0; i < KEYS; i++) {
        assert.equal(await get(`key:${i}`), `${i}`);
    }
    console.log('keys of all slots');

    const acknowledged = new Map();
    const counts = Array(WRITERS).fill(0);
    let failed = 0;
    let goesOn = true;
    const writers = Array.from({ length: WRITERS }, async (_, writer) => {
        for (let n = 0; goesOn; n++) {
            const key = `live:${writer}:${n % 50}`;
            try {
                await set(key, `${n}`);
                acknowledged.set(key, n);
                counts[writer]++;
            } catch (error) {
                failed++;
                assert.match(
                    `${error.message} ${error.lastNodeError ?? ''}`,
                    /CLUSTERDOWN|TRYAGAIN|UNKNOWN|REFUSED|LOADING|clos|connect|ECONN|refresh|redirection|lost|aborted/i);
                await new Promise(resolve => setTimeout(resolve, 20));
            }
        }
    });
    console.log('ready to be cut');
    await new Promise(resolve => process.stdin.once('data', resolve));

    // All go on, whatever node they write to.
    const before = [...counts];
    while (counts.some((count, writer) => count < before[writer] + 50)) {
        await new Promise(resolve => setTimeout(resolve, 20));
    }
    goesOn = false;
    await Promise.all(writers);

    // A failed write may still have been done, so the last acknowledged one is the least that must be there.
    assert.equal(acknowledged.size, 50 * WRITERS);
    for (const [key, n] of acknowledged) {
        assert.ok(Number(await get(key)) >= n, `${key} is older than ${n}`);
    }
    for (let i = 0; i < KEYS; i++) {
        assert.equal(await get(`key:${i}`), `${i}`);
    }
    console.log(`failed: ${failed}, moved: ${moved()}`);
    console.log('all is there');
    process.stdin.destroy();
}
