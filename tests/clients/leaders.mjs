// What a client of a cluster does about a partition that is between two leaders.

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
