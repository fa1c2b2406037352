using Quorate.Protocol;
using Quorate.Server.Http.Entries;

namespace Quorate.Server.Tests.Http.Entries;

/// <summary>What becomes of a partition's errors over HTTP.</summary>
public sealed class ProblemTests
{
    [Theory]
    [InlineData("VERSION 7", 409)]
    [InlineData("ERR value is not an integer or out of range", 400)]
    [InlineData("WRONGTYPE Operation against a key holding the wrong kind of value", 400)]
    [InlineData($"{ErrorCodes.OutOfMemory} the heap has no room for it, nothing was done", 503)]
    public void An_error_has_the_status_that_says_what_to_do(string error, int status) =>
        Assert.Equal(status, Problem.OfError(error, byHeader: false).Status);
}
