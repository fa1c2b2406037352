using System.Text;
using Quorate.Core.Model;

namespace Quorate.Core.Tests.Placement;

/// <summary>Slots and hashes agree with what others compute: values from the specifications.</summary>
public sealed class KeyHashTests
{
    [Theory]
    [InlineData("", 0)]
    [InlineData("123456789", 12739)]
    [InlineData("foo", 12182)]
    [InlineData("bar", 5061)]
    [InlineData("{user1000}.following", 3443)]
    [InlineData("foo{}{bar}", 8363)]
    [InlineData("foo{{bar}}zap", 4015)]
    [InlineData("foo{bar}{zap}", 5061)]
    public void Slots_are_those_of_redis_cluster(string key, int slot) =>
        Assert.Equal(slot, KeyHash.SlotOf(Encoding.UTF8.GetBytes(key)).Value);

    [Theory]
    [InlineData("", 0UL)]
    [InlineData("hello", 0xCBD8A7B341BD9B02UL)]
    [InlineData("hello, world", 0x342FAC623A5EBC8EUL)]
    [InlineData("The quick brown fox jumps over the lazy dog.", 0xCD99481F9EE902C9UL)]
    public void Hashes_are_those_of_murmur3(string data, ulong hash) =>
        Assert.Equal(hash, KeyHash.Of(Encoding.UTF8.GetBytes(data)));

    [Fact]
    public void Keys_of_one_tag_have_one_tag_hash() =>
        Assert.Equal(KeyHash.OfTag("{a}1"u8), KeyHash.OfTag("b{a}2"u8));
}
