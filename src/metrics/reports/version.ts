/** The version of this library, as reports carry it. */
export const libraryVersion = '0.1.0'
