using BenchmarkDotNet.Running;
using Quorate.Bench.Log;
using Quorate.Bench.Memory;
using Quorate.Bench.Stores;

// Without an option of ours, BenchmarkDotNet takes the command line.
switch (args)
{
    case ["--rows", string count]:
        return RowsFigure.Run(long.Parse(count), new MemtableRows());
    case ["--rows", string count, "--one-slot"]:
        return RowsFigure.Run(long.Parse(count), new MemtableRows(oneSlot: true));
    case ["--rows", string count, "--dictionary"]:
        return RowsFigure.Run(long.Parse(count), new DictionaryRows());
    case ["--log", string folder]:
        return LogFigure.Run(folder);
    case ["--log-cost"]:
        return LogCost.Run();
    case ["--stores", string folder]:
        return StoreFigure.Run(folder, compress: true);
    case ["--stores", string folder, "--uncompressed"]:
        return StoreFigure.Run(folder, compress: false);
    case ["--cold", string folder]:
        return ColdReadsFigure.Run(folder);
    case ["--rows" or "--log" or "--log-cost" or "--stores" or "--cold", ..]:
        Console.Error.WriteLine(
            """
            usage: Quorate.Bench --rows COUNT [--one-slot | --dictionary]
                   Quorate.Bench --log FOLDER
                   Quorate.Bench --log-cost
                   Quorate.Bench --stores FOLDER [--uncompressed]
                   Quorate.Bench --cold FOLDER
                   or options of BenchmarkDotNet
            """);
        return 2;
    default:
        return BenchmarkSwitcher.FromAssembly(typeof(MemtableBenchmarks).Assembly).Run(args).Any() ? 0 : 1;
}
