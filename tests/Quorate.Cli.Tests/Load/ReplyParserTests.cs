using System.Text;
using Quorate.Cli.Load;

namespace Quorate.Cli.Tests.Load;

/// <summary>Replies are told apart, passed over whole, and waited for when they are cut.</summary>
public sealed class ReplyParserTests
{
    [Theory]
    [InlineData("+OK\r\n", "Text", "OK")]
    [InlineData(":-12\r\n", "Number", "-12")]
    [InlineData("-ERR no\r\n", "Error", "ERR no")]
    [InlineData("$-1\r\n", "Absent", "")]
    [InlineData("_\r\n", "Absent", "_")]
    [InlineData("$5\r\na\r\nb!\r\n", "Text", "a\r\nb!")]
    [InlineData("*2\r\n$1\r\na\r\n*1\r\n:1\r\n", "Other", "")]
    [InlineData("%1\r\n+a\r\n*0\r\n", "Other", "")]
    public void A_reply_is_read_wherever_it_is_cut(string reply, string kind, string content)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(reply);
        for (int cut = 0; cut < bytes.Length; cut++)
        {
            Assert.Equal(ReplyKind.Incomplete, ReplyParser.Read(bytes.AsSpan(0, cut), out _, out _));
        }

        ReplyKind found = ReplyParser.Read([.. bytes, .. "+more\r\n"u8], out int length, out ReadOnlySpan<byte> said);
        Assert.Equal((kind, bytes.Length), (found.ToString(), length));
        if (found is not (ReplyKind.Absent or ReplyKind.Other))
        {
            Assert.Equal(content, Encoding.ASCII.GetString(said));
        }
    }

    [Theory]
    [InlineData("hello\r\n")]
    [InlineData("$x\r\n")]
    [InlineData("\r\n")]
    public void What_is_no_reply_is_known_as_such(string bytes) =>
        Assert.Equal(ReplyKind.Broken, ReplyParser.Read(Encoding.ASCII.GetBytes(bytes), out _, out _));
}
