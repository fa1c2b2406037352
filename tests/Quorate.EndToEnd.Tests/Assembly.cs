// Each test starts processes of its own and cuts their time short on purpose; two at once would cut each other's.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
