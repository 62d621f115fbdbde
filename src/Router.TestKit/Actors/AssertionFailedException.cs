namespace Router.TestKit.Actors;

/// <summary>An expectation of the test kit was not met.</summary>
public sealed class AssertionFailedException(string message, Exception? cause = null) : Exception(message, cause);
