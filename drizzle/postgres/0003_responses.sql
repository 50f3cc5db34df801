CREATE TABLE "response_items" (
	"key" text PRIMARY KEY NOT NULL,
	"object_key" text NOT NULL
);
--> statement-breakpoint
CREATE TABLE "response_objects" (
	"key" text PRIMARY KEY NOT NULL,
	"user_id" text,
	"used_at" bigint NOT NULL,
	"revision" bigint NOT NULL,
	"length" bigint NOT NULL,
	"body" "bytea" NOT NULL
);
--> statement-breakpoint
ALTER TABLE "response_items" ADD CONSTRAINT "response_items_object_key_response_objects_key_fk" FOREIGN KEY ("object_key") REFERENCES "response_objects"("key") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "response_objects" ADD CONSTRAINT "response_objects_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "response_items_object_key" ON "response_items" USING btree ("object_key");--> statement-breakpoint
CREATE INDEX "response_objects_user_id_used_at" ON "response_objects" USING btree ("user_id","used_at");--> statement-breakpoint
CREATE INDEX "response_objects_used_at" ON "response_objects" USING btree ("used_at");