using System.Globalization;
using Quorate.DiskHost;
using Quorate.Server.Disk;

// A node reduced to its log, for tests that break the system under a real process:
//   append FOLDER COUNT [cached]   appends numbered records, one after the other, and says `acked N` when N is
//                                  durable; with `cached` it never writes past the page cache
//   measure FOLDER                 times durable writes in the ways that the disk knows
const int Usage = 64;
const int DiskFailed = 74;

if (args is ["measure", string place])
{
    Measurement.Run(place);
    return 0;
}

bool isCached = args is [.., "cached"];
if (args[..(isCached ? ^1 : ^0)] is not ["append", string path, string countText]
    || !int.TryParse(countText, CultureInfo.InvariantCulture, out int count))
{
    Console.Error.WriteLine("Say: append FOLDER COUNT [cached], or: measure FOLDER.");
    return Usage;
}

using DataFolder? folder = DataFolder.TryOpen(path, cluster: null, out string problem);
bool isNamed = folder?.Identity is not null;
if (folder is not null && !isNamed)
{
    isNamed = folder.TryName(new NodeIdentity(Guid.NewGuid(), new(1), Incarnation: 1), out problem);
}

if (!isNamed)
{
    Console.Error.WriteLine(problem);
    return DiskFailed;
}

// One thread of each kind, so that a test can count the calls of each.
var settings = new RealDiskSettings { ReserveBytes = 0, WriteThreads = 1, ReadThreads = 1, DirectWrites = !isCached };
using var disk = new RealDisk(folder!.Files, settings);
var appender = new Appender(disk, count, Console.Out);
if (appender.Run() is string failure)
{
    Console.Error.WriteLine(failure);
    return DiskFailed;
}

return 0;
