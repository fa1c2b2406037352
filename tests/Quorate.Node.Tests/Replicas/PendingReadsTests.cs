using Quorate.Core.Model;
using Quorate.Core.Raft;
using Quorate.Node.Replicas;

namespace Quorate.Node.Tests.Replicas;

/// <summary>Reads are counted while the group has not let them go, and taken out once.</summary>
public sealed class PendingReadsTests
{
    private static readonly RequestId First = new(1);
    private static readonly RequestId Second = new(2);
    private static readonly ReadToken Token = new(new Term(2), new LogIndex(7));

    private readonly PendingReads _reads = new();

    [Fact]
    public void A_read_is_taken_once_with_its_token()
    {
        _reads.Add(First);
        Assert.True(_reads.IsReady(new ReadReady(First, Token)));

        Assert.True(_reads.Take(First, out ReadToken token));
        Assert.Equal(Token, token);
        Assert.False(_reads.Take(First, out _));
    }

    [Fact]
    public void Only_reads_that_are_not_ready_are_waiting()
    {
        _reads.Add(First);
        _reads.Add(Second);
        Assert.Equal(2, _reads.Waiting);

        _reads.IsReady(new ReadReady(First, Token));
        _reads.IsReady(new ReadReady(First, Token));
        Assert.Equal(1, _reads.Waiting);

        _reads.Take(First, out _);
        Assert.Equal(1, _reads.Waiting);
        _reads.Take(Second, out _);
        Assert.Equal(0, _reads.Waiting);
    }

    [Fact]
    public void An_unknown_read_is_not_ready() => Assert.False(_reads.IsReady(new ReadReady(First, Token)));
}
