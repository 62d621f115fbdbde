namespace Router.TestKit.Actors;

internal static class TestKitMarker;
