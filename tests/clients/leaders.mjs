// What all clients of a cluster do: about a partition that is between two leaders, and about a node that goes.
import assert from 'node:assert/strict';

// An error, or one of the errors of a pipeline or transaction, that says: try again.
function isRefusal(error) {
    return /^(CLUSTERDOWN|TRYAGAIN|UNKNOWN|REFUSED|EXECABORT)/.test(error.message)
        || /CLUSTERDOWN|TRYAGAIN|UNKNOWN|REFUSED/.test(error.stack ?? '')
        || (error.errors ?? []).some(isRefusal);
}

export async function untilLed(work) {
    for (let attempt = 1; ; attempt++) {
        try {
            return await work(attempt);
        } catch (error) {
            if (attempt === 20 || !isRefusal(error)) {
                throw error;
            }
            await new Promise(resolve => setTimeout(resolve, 500));
        }
    }
}

// Says so at the first of the events by which a library tells that its connection has gone.
export function noteLoss(client, event) {
    const loss = { was: false };
    client.on('error', () => {});
    client.on(event, () => {
        if (!loss.was) {
            loss.was = true;
            console.log('connection lost');
        }
    });
    return loss;
}

// Waits for its node to go and come back, and goes on with it.
export async function outliveNode(client, loss) {
    console.log('ready to be cut');
    while (true) {
        // Until its node is back, commands wait in the library, or are told that the connection is gone.
        try {
            if (await client.set('after', 'written again') === 'OK' && loss.was) {
                break;
            }
        } catch {
            // It is tried again.
        }
        await new Promise(resolve => setTimeout(resolve, 50));
    }
    await untilLed(async () => assert.equal(await client.get('after'), 'written again'));
    console.log('connected again');
}
