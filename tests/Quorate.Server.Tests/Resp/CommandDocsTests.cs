using System.Globalization;
using Quorate.Server.Resp.Commands;

namespace Quorate.Server.Tests.Resp;

/// <summary>What COMMAND DOCS says, held against what the commands take.</summary>
public sealed class CommandDocsTests
{
    /// <summary>Every command says what it is for and what it takes, and takes as many words as it says.</summary>
    [Fact]
    public async Task Every_command_is_described_and_nothing_else_is()
    {
        await using RespHost host = await RespHost.StartAsync();
        using RawClient client = host.Connect();
        string[] info = client.Run("COMMAND INFO").Split("\r\n");
        SortedDictionary<string, int> arities = new(StringComparer.Ordinal);
        for (int i = 0; i + 3 < info.Length; i++)
        {
            if (info[i] == "*10" && !info[i + 2].Contains('|', StringComparison.Ordinal))
            {
                arities.Add(info[i + 2], int.Parse(info[i + 3].AsSpan(1), CultureInfo.InvariantCulture));
            }
        }

        Assert.Equal(arities.Keys, CommandDocs.Names);
        Assert.All(arities, command =>
        {
            CommandDocs docs = CommandDocs.Find(command.Key)!;
            Assert.NotEmpty(docs.Group);
            Assert.EndsWith(".", docs.Summary, StringComparison.Ordinal);
            Assert.Equal((command.Key, Math.Abs(command.Value)), (command.Key, docs.WordsMin));
            bool isExact = docs.Arguments.All(argument => !argument.IsOptional);
            Assert.True(isExact == command.Value > 0, $"{command.Key} may have more words");
        });
        Assert.Equal(
            "*2\r\n$3\r\nget\r\n*6\r\n$7\r\nsummary\r\n$14\r\nGets a string.\r\n$5\r\ngroup\r\n$6\r\nstring\r\n"
                + "$9\r\narguments\r\n*1\r\n*6\r\n$4\r\nname\r\n$3\r\nkey\r\n$4\r\ntype\r\n$3\r\nkey\r\n"
                + "$12\r\ndisplay_text\r\n$3\r\nkey\r\n",
            client.Run("COMMAND DOCS get"));
        Assert.Contains("\nclient|id\r\n*6\r\n$7\r\nsummary\r\n", client.Run("COMMAND DOCS client"));
        string one = client.Run("COMMAND DOCS client|id");
        Assert.StartsWith("*2\r\n$9\r\nclient|id\r\n*6\r\n", one, StringComparison.Ordinal);
    }
}
