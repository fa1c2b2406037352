using BenchmarkDotNet.Running;
using Quorate.Bench.Memory;

// Without an option of ours, BenchmarkDotNet takes the command line.
if (args is ["--rows", string count, .. string[] rest])
{
    long rows = long.Parse(count);
    return rest switch
    {
        [] => RowsFigure.Run(rows, new MemtableRows()),
        ["--one-slot"] => RowsFigure.Run(rows, new MemtableRows(oneSlot: true)),
        ["--dictionary"] => RowsFigure.Run(rows, new DictionaryRows()),
        _ => Usage(),
    };
}

return BenchmarkSwitcher.FromAssembly(typeof(MemtableBenchmarks).Assembly).Run(args).Any() ? 0 : 1;

static int Usage()
{
    Console.Error.WriteLine(
        "usage: Quorate.Bench --rows COUNT [--one-slot | --dictionary], or options of BenchmarkDotNet");
    return 2;
}
