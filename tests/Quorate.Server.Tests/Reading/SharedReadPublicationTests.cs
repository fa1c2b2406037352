using Quorate.Core.Model;
using Quorate.Node.Partitions;
using Quorate.Server.Reading;

namespace Quorate.Server.Tests.Reading;

/// <summary>What is published is read whole, and never older than what its reader has seen before.</summary>
public sealed class SharedReadPublicationTests
{
    private const long Publications = 300_000;

    [Fact]
    public void A_reader_sees_a_publication_whole_and_none_older_than_it_knows_of()
    {
        var publication = new SharedReadPublication();
        long wrong = 0;
        long told = 0;
        long seen = 0;
        using var stop = new CancellationTokenSource();
        Thread[] readers =
        [
            .. Enumerable.Range(0, 2).Select(_ => new Thread(() =>
            {
                while (!stop.IsCancellationRequested)
                {
                    long before = Volatile.Read(ref told);
                    if (!publication.TryRead(out PublishedRead read))
                    {
                        continue;
                    }

                    ulong number = read.Applied.Index.Value;
                    bool isWhole = read == Numbered(number);
                    if (!isWhole || number < (ulong)before)
                    {
                        Interlocked.Increment(ref wrong);
                    }

                    Interlocked.Increment(ref seen);
                }
            })),
        ];
        foreach (Thread reader in readers)
        {
            reader.Start();
        }

        for (long i = 1; i <= Publications || Interlocked.Read(ref seen) < 1000; i++)
        {
            publication.Publish(Numbered((ulong)i));
            Volatile.Write(ref told, i);
        }

        stop.Cancel();
        foreach (Thread reader in readers)
        {
            reader.Join();
        }

        Assert.Equal(0, wrong);
    }

    [Fact]
    public void A_use_is_noticed_once()
    {
        var publication = new SharedReadPublication();
        Assert.False(publication.TakeUsed());
        publication.MarkUsed();
        publication.MarkUsed();
        Assert.True(publication.TakeUsed());
        Assert.False(publication.TakeUsed());
    }

    private static PublishedRead Numbered(ulong number) => number == 0
        ? default
        : new(
            new(new Term(number), new LogIndex(number), new Instant((long)number), new LogIndex(number)),
            new(new Term(number), new LogIndex(number)));
}
