using System.Buffers;
using System.Text;

namespace Quorate.Protocol.Tests;

/// <summary>Replies in RESP3 become what a client of RESP2 expects.</summary>
public sealed class RespTextTests
{
    [Theory]
    [InlineData("_\r\n", Resp2Shape.None, "$-1\r\n")]
    [InlineData("_\r\n", Resp2Shape.NullIsArray, "*-1\r\n")]
    [InlineData("#t\r\n", Resp2Shape.None, ":1\r\n")]
    [InlineData("#f\r\n", Resp2Shape.None, ":0\r\n")]
    [InlineData(",2.5\r\n", Resp2Shape.None, "$3\r\n2.5\r\n")]
    [InlineData("(123456789012345678901\r\n", Resp2Shape.None, "$21\r\n123456789012345678901\r\n")]
    [InlineData("=7\r\ntxt:abc\r\n", Resp2Shape.None, "$3\r\nabc\r\n")]
    [InlineData("!5\r\nERR x\r\n", Resp2Shape.None, "-ERR x\r\n")]
    [InlineData("%1\r\n$1\r\na\r\n,1\r\n", Resp2Shape.None, "*2\r\n$1\r\na\r\n$1\r\n1\r\n")]
    [InlineData("~2\r\n:1\r\n_\r\n", Resp2Shape.None, "*2\r\n:1\r\n$-1\r\n")]
    [InlineData("*2\r\n*2\r\n+a\r\n,1\r\n*2\r\n+b\r\n,2\r\n", Resp2Shape.PairsAreFlat,
        "*4\r\n+a\r\n$1\r\n1\r\n+b\r\n$1\r\n2\r\n")]
    [InlineData("*2\r\n*2\r\n+a\r\n,1\r\n*2\r\n+b\r\n,2\r\n", Resp2Shape.None,
        "*2\r\n*2\r\n+a\r\n$1\r\n1\r\n*2\r\n+b\r\n$1\r\n2\r\n")]
    [InlineData("*2\r\n+a\r\n+b\r\n", Resp2Shape.PairsAreFlat, "*2\r\n+a\r\n+b\r\n")]
    [InlineData("*0\r\n", Resp2Shape.PairsAreFlat, "*0\r\n")]
    [InlineData("*2\r\n_\r\n+b\r\n", Resp2Shape.NullIsArray, "*2\r\n$-1\r\n+b\r\n")]
    [InlineData("$3\r\na\nb\r\n", Resp2Shape.None, "$3\r\na\nb\r\n")]
    public void A_reply_is_turned_into_RESP2(string reply, Resp2Shape shape, string expected)
    {
        Assert.Equal(expected, Write(reply, 2, shape, [], 1000));
        Assert.Equal(expected, Write(reply, 2, shape, [], 1));
        Assert.Equal(reply, Write(reply, 3, shape, [], 1));
    }

    [Fact]
    public void A_transactions_elements_have_the_shapes_of_their_commands()
    {
        const string reply = "*4\r\n_\r\n*1\r\n*2\r\n+a\r\n,1\r\n_\r\n*1\r\n*2\r\n+a\r\n,1\r\n";
        Resp2Shape[] shapes = [Resp2Shape.NullIsArray, Resp2Shape.PairsAreFlat, Resp2Shape.None, Resp2Shape.None];
        const string expected = "*4\r\n*-1\r\n*2\r\n+a\r\n$1\r\n1\r\n$-1\r\n*1\r\n*2\r\n+a\r\n$1\r\n1\r\n";

        Assert.Equal(expected, Write(reply, 2, Resp2Shape.None, shapes, 1000));
        Assert.Equal(expected, Write(reply, 2, Resp2Shape.None, shapes, 1));
    }

    [Fact]
    public void A_large_reply_is_written_in_pieces()
    {
        string reply = $"$100000\r\n{new string('x', 100_000)}\r\n";
        var output = new ArrayBufferWriter<byte>();
        var text = default(RespText);

        Assert.False(text.TryWrite(Encoding.ASCII.GetBytes(reply), 2, Resp2Shape.None, [], output, 1000));
        Assert.Equal(1000, output.WrittenCount);
    }

    [Fact]
    public void A_large_element_of_an_array_is_written_in_pieces()
    {
        string large = $"$100000\r\n{new string('x', 100_000)}\r\n";
        string reply = $"*3\r\n{large}_\r\n={100_004}\r\ntxt:{new string('x', 100_000)}\r\n";
        var output = new ArrayBufferWriter<byte>();
        var text = default(RespText);

        Assert.False(text.TryWrite(Encoding.ASCII.GetBytes(reply), 2, Resp2Shape.None, [], output, 1000));
        Assert.InRange(output.WrittenCount, 900, 1100);
        string expected = $"*3\r\n{large}$-1\r\n{large}";
        Assert.Equal(expected, Write(reply, 2, Resp2Shape.None, [], 1000));
        Assert.Equal(expected, Write(reply, 2, Resp2Shape.None, [], 1_000_000));
    }

    private static string Write(string reply, int version, Resp2Shape shape, Resp2Shape[] elements, int bytesMax)
    {
        var output = new ArrayBufferWriter<byte>();
        var text = default(RespText);
        int pieces = 0;
        while (!text.TryWrite(Encoding.Latin1.GetBytes(reply), version, shape, elements, output, bytesMax))
        {
            Assert.True(++pieces < 10_000, "each piece writes something");
        }

        return Encoding.Latin1.GetString(output.WrittenSpan);
    }
}
